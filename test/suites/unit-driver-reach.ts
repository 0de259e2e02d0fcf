/** What every unit driver promises about signals and logs; part of unit-driver-suite.ts. */
import * as assert from 'uvu/assert'
import type { UnitDriver } from '../../node-agent/units/driver.ts'
import { type JournalEntry, parseEntry } from '../../node-agent/units/journal-entry.ts'
import type { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

type Suite = ReturnType<typeof suiteOf<{ rig: { readonly driver: UnitDriver } }>>

const SLEEPER = '[Service]\nExecStart=/bin/sleep infinity\n'

async function launch(driver: UnitDriver, name: string, content: string): Promise<void> {
  assert.equal(await driver.install([{ name, content }]), [{ name }])
  assert.equal(await driver.start([name]), [{ name }])
  await until(async () => (await look(driver, name))?.activeState === 'active', { what: `${name} to be active` })
}

async function look(driver: UnitDriver, name: string) {
  return (await driver.observe([name])).get(name)
}

async function entriesOf(driver: UnitDriver, name: string, after?: string): Promise<JournalEntry[]> {
  let text = ''
  const options = { signal: AbortSignal.timeout(5_000), ...(after === undefined ? {} : { after }) }
  for await (const piece of driver.log(name, options)) text += Buffer.from(piece).toString('utf8')
  return text.split('\n').flatMap((line) => parseEntry(line) ?? [])
}

export function reachTests(test: Suite): void {
  test('a signal reaches the main process, and ends it if that is what it does', async ({ rig: { driver } }) => {
    await launch(driver, 'a.service', SLEEPER)
    assert.equal(await driver.signal('a.service', 'SIGKILL', 'main'), { name: 'a.service' })
    await until(async () => (await look(driver, 'a.service'))?.result === 'signal', { what: 'the end of it' })
  })

  test('a signal for what does not run is refused', async ({ rig: { driver } }) => {
    assert.ok((await driver.signal('nobody.service', 'SIGTERM', 'all')).refused)
    assert.ok((await driver.signal('../../evil', 'SIGTERM', 'all')).refused)
  })

  test('each start is another run, and what never ran has none', async ({ rig: { driver } }) => {
    assert.is(await driver.invocation('a.service'), '')
    await launch(driver, 'a.service', SLEEPER)
    const first = await driver.invocation('a.service')
    assert.match(first, /^[0-9a-f]{32}$/)
    assert.is(await driver.invocation('a.service'), first)
    await driver.restart(['a.service'])
    await until(async () => (await driver.invocation('a.service')) !== first, { what: 'another run' })
  })

  test('the log for passing on is the log, and goes on behind a cursor', async ({ rig: { driver } }) => {
    const name = `reach-${process.pid}.service`
    await launch(driver, name, "[Service]\nExecStart=/bin/sh -c 'echo one; echo two; sleep infinity'\n")
    const both = await until(
      async () => {
        const entries = (await entriesOf(driver, name)).filter(({ message }) => ['one', 'two'].includes(message))
        return entries.length >= 2 && entries
      },
      { what: 'both lines' },
    )
    const [one, two] = both.slice(-2)
    assert.equal([one?.message, two?.message], ['one', 'two'])
    const rest = (await entriesOf(driver, name, one?.cursor)).filter(({ identifier }) => identifier === 'sh')
    assert.equal(
      rest.map(({ message }) => message),
      ['two'],
    )
  })
}
