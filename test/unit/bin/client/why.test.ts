import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { summarize } from '../../../../bin/client/fleet-summary.ts'
import { whyMachine } from '../../../../bin/client/why-machine.ts'
import { whyUnit } from '../../../../bin/client/why-unit.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Condition } from '../../../../crds/metadata.ts'
import type { Unit } from '../../../../crds/unit.ts'

const test = suite('why')
const NOW = new Date('2026-01-01T00:01:00Z')

function condition(type: string, status: Condition['status'], reason: string, message = ''): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' }
}

function unit(spec: Partial<Unit['spec']> = {}, status: Unit['status'] = undefined, metadata = {}): Unit {
  return {
    ...{ apiVersion: 'flotilla.dev/v1', kind: 'Unit' },
    metadata: { name: 'web.service', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { desiredState: 'launched', content: '[Service]', failover: 'reschedule', ...spec },
    status,
  }
}

function machine(ready: Condition | undefined, spec: Machine['spec'] = {}): Machine {
  return {
    ...{ apiVersion: 'flotilla.dev/v1', kind: 'Machine', metadata: { name: 'm1' } },
    spec,
    status: { conditions: ready ? [ready] : [] },
  }
}

const READY = machine(condition('Ready', 'True', 'AgentReady', 'answers'))
const LOST = machine(condition('Ready', 'Unknown', 'LeaseExpired', 'stopped renewing its lease'))
const onM1 = (reason: string, status: Condition['status'] = 'False', message = 'words'): Unit =>
  unit({ machineName: 'm1' }, { machineName: 'm1', conditions: [condition('Active', status, reason, message)] })

const CASES: readonly (readonly [
  title: string,
  unit: Unit,
  machine: Machine | undefined,
  verdict: RegExp,
  next: RegExp,
])[] = [
  [
    'deleted',
    unit({}, undefined, { deletionTimestamp: 'T', finalizers: ['f/x'] }),
    undefined,
    /is being deleted since T/,
    /^$/,
  ],
  ['not wanted', unit({ desiredState: 'inactive' }), undefined, /nobody wants it to/, /desiredState to launched/],
  [
    'a template',
    unit({ desiredState: 'inactive', unitName: 'web@.service' }),
    undefined,
    /is a template/,
    /spec.replicas/,
  ],
  ['no scheduler', unit(), undefined, /on no machine/, /flotilla controllers/],
  [
    'no machine fits',
    unit(
      {},
      {
        conditions: [
          condition('Scheduled', 'False', 'NoMachineFits', '0 of 1 machines can take it: m1: not ready (LeaseExpired)'),
        ],
      },
    ),
    undefined,
    /on no machine/,
    /flotilla why machine\/m1/,
  ],
  ['its machine does not exist', unit({ machineName: 'm9' }), undefined, /m9 does not exist/, /flotilla get machines/],
  ['its machine is lost', unit({ machineName: 'm1' }), LOST, /m1 is not ready/, /why machine\/m1/],
  ['on its way', unit({ machineName: 'm1' }), READY, /on its way to m1/, /watch unit\/web\.service/],
  ['failed', onM1('Failed'), READY, /^has failed on m1/, /flotilla journal web\.service -n 50/],
  ['refused', onM1('Refused'), READY, /refused by systemd/, /correct spec\.content/],
  ['running', onM1('Running', 'True'), READY, /^runs on m1/, /^$/],
  ['unknown words of a newer agent', onM1('Meditating', 'True'), READY, / on m1/, /^$/],
]

for (const [title, subject, host, verdict, next] of CASES)
  test(`a unit: ${title}`, () => {
    const found = whyUnit({ unit: subject, machine: host, now: NOW })
    assert.match(found.verdict, verdict)
    assert.match(found.next.join('\n'), next)
  })

test('each machine that cannot take a unit has a line of its own', () => {
  const message = '0 of 2 machines can take it: m1: not ready (X); m2: tainted gpu:NoSchedule'
  const subject = unit({}, { conditions: [condition('Scheduled', 'False', 'NoMachineFits', message)] })
  const { because } = whyUnit({ unit: subject, machine: undefined, now: NOW })
  assert.equal(because, ['0 of 2 machines can take it', '  m1: not ready (X)', '  m2: tainted gpu:NoSchedule'])
})

test('a machine: ready, cordoned, silent, never heard of', () => {
  assert.is(whyMachine({ machine: READY, units: [] }).verdict, 'is ready')
  const cordoned = machine(condition('Ready', 'True', 'AgentReady'), { unschedulable: true })
  assert.match(whyMachine({ machine: cordoned, units: [] }).verdict, /takes no new units/)
  const taints = [{ key: 'flotilla.dev/drain', effect: 'NoSchedule' as const }]
  const draining = machine(condition('Ready', 'True', 'AgentReady'), { unschedulable: true, taints })
  assert.equal(whyMachine({ machine: draining, units: [] }), {
    verdict: 'is ready, and being drained',
    tone: 'warn',
    because: [
      'AgentReady: ',
      'cordoned: spec.unschedulable is true',
      'tainted flotilla.dev/drain:NoSchedule',
      'no units are placed on it',
    ],
    next: ['flotilla uncordon m1'],
  })
  assert.match(whyMachine({ machine: LOST, units: [] }).verdict, /not heard of/)
  assert.match(whyMachine({ machine: machine(undefined), units: [] }).verdict, /never reported/)
})

test('the summary counts states and lists what is wrong', () => {
  const active = unit({ machineName: 'm1' }, { machineName: 'm1', systemd: { activeState: 'active' } })
  const summary = summarize('s', 'v', [READY, LOST], [active, onM1('Failed'), unit({ desiredState: 'inactive' })])
  assert.equal(summary.machines, { total: 2, ready: 1, cordoned: 0 })
  assert.equal(summary.units.byState, { active: 1, 'not started': 1, 'not wanted': 1 })
  assert.equal(
    summary.trouble.map(({ look }) => look),
    ['flotilla why machine/m1', 'flotilla why unit/web.service'],
  )
})

test.run()
