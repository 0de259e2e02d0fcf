import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pod } from '../../../../crds/index.ts'
import { cell } from './support.ts'

const columns = suite('columns of a Pod')

const running = { name: 'a', ready: true, state: { running: {} } }
const ended = (fields: object) => ({ name: 'a', state: { terminated: fields } })
const waiting = (reason: string) => ({ name: 'a', state: { waiting: { reason } } })
const pod = (status: object, spec: object = { containers: [{}, {}] }, metadata: object = {}) => ({
  spec,
  status,
  metadata,
})
const status = (object: object) => cell(Pod, 'Status', object)

columns('ready containers are counted of all', () => {
  assert.is(cell(Pod, 'Ready', pod({ containerStatuses: [running] })), '1/2')
  assert.is(cell(Pod, 'Ready', pod({})), '0/2')
})

const SAID: readonly [string, object, string][] = [
  ['the phase, where nothing more is known', pod({ phase: 'Pending' }), 'Pending'],
  ['the reason of the pod', pod({ phase: 'Failed', reason: 'Evicted' }), 'Evicted'],
  [
    'what a container waits for',
    pod({ phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] }),
    'ImagePullBackOff',
  ],
  [
    'how a container ended',
    pod({ phase: 'Failed', containerStatuses: [ended({ reason: 'Error', exitCode: 1 })] }),
    'Error',
  ],
  ['by which signal', pod({ containerStatuses: [ended({ signal: 9, exitCode: 137 })] }), 'Signal:9'],
  ['with which code', pod({ containerStatuses: [ended({ exitCode: 3 })] }), 'ExitCode:3'],
  [
    'Running, when one of several has completed',
    pod({
      containerStatuses: [ended({ reason: 'Completed', exitCode: 0 }), running],
      conditions: [{ type: 'Ready', status: 'True' }],
    }),
    'Running',
  ],
  [
    'NotReady, when the rest is not ready',
    pod({ containerStatuses: [ended({ reason: 'Completed', exitCode: 0 }), running] }),
    'NotReady',
  ],
  [
    'how far the init containers are',
    pod({ initContainerStatuses: [ended({ exitCode: 0 }), { name: 'b', state: {} }] }, { initContainers: [{}, {}] }),
    'Init:1/2',
  ],
  [
    'what holds an init container up',
    pod({ initContainerStatuses: [waiting('CrashLoopBackOff')] }),
    'Init:CrashLoopBackOff',
  ],
  ['that it is going', pod({ phase: 'Running' }, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Terminating'],
  [
    'that gates hold it back',
    pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
    'SchedulingGated',
  ],
]

for (const [what, object, word] of SAID) columns(`the status says ${what}`, () => assert.is(status(object), word))

columns('restarts are counted, with the time of the last', () => {
  const lastState = { terminated: { finishedAt: '2026-01-01T00:55:00Z' } }
  assert.is(cell(Pod, 'Restarts', pod({})), '0')
  assert.is(
    cell(Pod, 'Restarts', pod({ containerStatuses: [{ ...running, restartCount: 3, lastState }] })),
    '3 (5m ago)',
  )
})

columns('wide columns say <none> for what is not there', () => {
  for (const name of ['IP', 'Node', 'Nominated Node', 'Readiness Gates']) assert.is(cell(Pod, name, pod({})), '<none>')
  assert.is(cell(Pod, 'Node', pod({}, { nodeName: 'm1' })), 'm1')
  const gates = { readinessGates: [{ conditionType: 'A' }, { conditionType: 'B' }] }
  assert.is(cell(Pod, 'Readiness Gates', pod({ conditions: [{ type: 'A', status: 'True' }] }, gates)), '1/2')
})

columns.run()
