import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { forgetFailedStarts } from '../../../../node-agent/units/failed-starts.ts'
import { createMemory, type Memory } from '../../../../node-agent/units/memory.ts'

const test = suite('failed starts')
const UID = 'uid-of-the-timer'

/** A timer that was started after so many files had come. */
function memoryWith(startedAfter: number, installs: number, jobResult: string | undefined): Memory {
  const record = { uid: UID, name: 'a.timer', unitName: 'a.timer', hash: 'h', epoch: 'e', started: true }
  const stop = new AbortController()
  const memory = createMemory(new Map(), new Map([[UID, record]]), { wake: () => undefined, signal: stop.signal })
  stop.abort()
  const rest = { loadState: 'loaded', activeState: 'inactive', subState: 'dead', result: 'success', mainPID: 0 }
  const seen = { name: 'a.timer', ...rest, restarts: 0, activeEnterTimestampUs: 0, exitStatus: 0 }
  memory.observed.set('a.timer', jobResult === undefined ? seen : { ...seen, jobResult })
  memory.installs = installs
  memory.startedAfter.set(UID, startedAfter)
  return memory
}

for (const [what, memory, isStarted] of [
  ['a file came since: the start is due again', memoryWith(1, 2, 'failed'), false],
  ['the same for a start that lacked what it requires', memoryWith(1, 2, 'dependency'), false],
  ['nothing came since: it is not tried again', memoryWith(2, 2, 'failed'), true],
  ['stopped by somebody, not refused: that is theirs to decide', memoryWith(1, 2, undefined), true],
] as const)
  test(what, () => {
    forgetFailedStarts(memory)
    assert.is(memory.records.get(UID)?.started, isStarted)
  })

test.run()
