import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createHints } from '../../../../node-agent/units/hints.ts'
import { until } from '../../../support/until.ts'

const test = suite('agent: hints of the manager')

/** A manager whose unit is told as changed whenever somebody looks at it. */
function echo(isChanged: () => boolean) {
  const looks: number[] = []
  const stop = new AbortController()
  const hints = createHints({
    signal: stop.signal,
    onDue: ([name = '']) => {
      looks.push(performance.now())
      hints.looked(name, isChanged())
      if (!stop.signal.aborted) setImmediate(() => hints.tell([name]))
    },
  })
  return { hints, looks, stop: () => stop.abort() }
}

test('a look that is told as a change does not become a loop', async () => {
  const { hints, looks, stop } = echo(() => false)
  hints.tell(['a.service'])
  const begun = performance.now()
  await until(() => performance.now() - begun > 400, { what: 'some time' })
  stop()
  assert.ok(looks.length <= 12, `${looks.length} looks`)
})

test('a unit that keeps changing is followed without delay', async () => {
  const { hints, looks, stop } = echo(() => true)
  hints.tell(['a.service'])
  await until(() => looks.length > 50, { what: '50 looks', timeoutMs: 1_000 })
  stop()
})

test('after something was done to a unit its news is news again', () => {
  const due: string[] = []
  const hints = createHints({ signal: new AbortController().signal, onDue: (names) => due.push(...names) })
  for (let look = 0; look < 10; look++) hints.looked('a.service', false)
  hints.tell(['a.service', 'b.service'])
  assert.equal(due, ['b.service'])
  hints.acted('a.service')
  hints.tell(['a.service'])
  assert.equal(due, ['b.service', 'a.service', 'a.service'])
})

test.run()
