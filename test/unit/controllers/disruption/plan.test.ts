import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plan } from '../../../../controllers/disruption/plan.ts'
import type { PodDisruptionBudget } from '../../../../crds/index.ts'
import type { ApiObject } from '../../../../crds/kind.ts'

const test = suite('what a budget says')
const NOW = new Date('2031-01-01T00:10:00Z')

function pod(name: string, ready: boolean): ApiObject {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels: { app: 'a' } }, status }
}

function budget(spec: object, status?: object): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'default', generation: 3 },
    spec: { selector: { matchLabels: { app: 'a' } }, ...spec },
    status,
  } as unknown as PodDisruptionBudget
}

const PODS = [pod('one', true), pod('two', true), pod('three', false)]

for (const [title, spec, expect] of [
  ['of three two are healthy, one is needed: one may go', { minAvailable: 1 }, [3, 2, 1, 1, 'True SufficientPods']],
  ['half of three is two', { minAvailable: '50%' }, [3, 2, 2, 0, 'False InsufficientPods']],
  ['one may be missing, and one is', { maxUnavailable: 1 }, [3, 2, 2, 0, 'False InsufficientPods']],
] as const)
  test(title, () => {
    const status = plan({ budget: budget(spec), pods: PODS, now: NOW }).report?.status as unknown as Record<
      string,
      unknown
    >
    const [condition] = status.conditions as Record<string, unknown>[]
    const { expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed, observedGeneration } = status
    const said = `${condition?.status} ${condition?.reason}`
    assert.equal([expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed, said], [...expect])
    assert.equal([observedGeneration, condition?.observedGeneration], [3, 3])
  })

test('what is said already is not said again', () => {
  const first = plan({ budget: budget({ minAvailable: 1 }), pods: PODS, now: NOW })
  const later = new Date(NOW.getTime() + 60_000)
  const again = plan({ budget: budget({ minAvailable: 1 }, first.report?.status ?? {}), pods: PODS, now: later })
  assert.is(again.report, undefined)
})

test('an eviction counts until it is seen, or given up after two minutes', () => {
  const known = { disruptedPods: { one: '2031-01-01T00:09:00Z' } }
  const { report, againAtMs } = plan({ budget: budget({ minAvailable: 1 }, known), pods: PODS, now: NOW })
  assert.is(report?.status?.disruptionsAllowed, 0)
  assert.is(againAtMs, Date.parse('2031-01-01T00:11:00Z'))
})

test.run()
