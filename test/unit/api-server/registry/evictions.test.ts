import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { claimDisruption } from '../../../../api-server/registry/disruption.ts'
import { objectOf } from '../../../../api-server/registry/entry.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import type { Registry } from '../../../../api-server/registry/registry.ts'
import { Pod, PodDisruptionBudget } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { withRegistry } from './with-registry.ts'

const POD = Pod as unknown as Kind
const BUDGET = PodDisruptionBudget as unknown as Kind
const at = (kind: Kind, name: string) => ({ kind, namespace: 'default', name })

interface PodFacts {
  readonly ready?: boolean
  readonly phase?: string
  readonly nodeName?: string
}

async function makePod(
  registry: Registry,
  name: string,
  { ready = true, phase = 'Running', nodeName = 'm1' }: PodFacts = {},
) {
  const metadata = { name, namespace: 'default', labels: { app: 'web' } }
  const spec = { containers: [{ name: 'a', image: 'b' }], nodeName }
  await registry.create(POD, 'default', { apiVersion: 'v1', kind: 'Pod', metadata, spec } as ApiObject)
  const status = { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] }
  await registry.update(at(POD, name), (pod) => ({ ...pod, status }), 'status')
}

async function makeBudget(registry: Registry, spec: object, name = 'keep'): Promise<void> {
  const selector = { matchLabels: { app: 'web' } }
  const metadata = { name, namespace: 'default' }
  const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { selector, ...spec } }
  await registry.create(BUDGET, 'default', budget as ApiObject)
}

/** The code of the answer: 201 when the pod may go. */
async function evict(registry: Registry, name: string): Promise<number | undefined> {
  const claim = claimDisruption(registry, objectOf(registry.get(at(POD, name))), false)
  return claim.then(
    () => 201,
    (error: unknown) => (error instanceof StatusError ? error.status.code : undefined),
  )
}

const statusOf = (registry: Registry) => objectOf(registry.get(at(BUDGET, 'keep'))).status as Record<string, unknown>

const test = suite('evictions')

test('without a budget every pod may go', () =>
  withRegistry(async ({ registry }) => {
    await makePod(registry, 'a')
    assert.is(await evict(registry, 'a'), 201)
  }))

test('of two evictions at once only the one that the budget allows passes', () =>
  withRegistry(async ({ registry }) => {
    for (const name of ['a', 'b']) await makePod(registry, name)
    await makeBudget(registry, { minAvailable: 1 })
    const codes = await Promise.all([evict(registry, 'a'), evict(registry, 'b')])
    assert.equal(codes.sort(), [201, 429])
    assert.is(statusOf(registry).disruptionsAllowed, 0)
    assert.is(Object.keys(statusOf(registry).disruptedPods as object).length, 1)
  }))

test('percentages round in favour of the pods', () =>
  withRegistry(async ({ registry }) => {
    for (const name of ['a', 'b', 'c']) await makePod(registry, name)
    await makeBudget(registry, { minAvailable: '50%' })
    assert.is(await evict(registry, 'a'), 201)
    assert.is(await evict(registry, 'b'), 429)
    assert.is(statusOf(registry).desiredHealthy, 2)
  }))

test('at most so many may be missing, whoever made them miss', () =>
  withRegistry(async ({ registry }) => {
    for (const name of ['a', 'b', 'c']) await makePod(registry, name)
    await makeBudget(registry, { maxUnavailable: 1 })
    await registry.delete(at(POD, 'a'))
    assert.is(await evict(registry, 'b'), 429)
  }))

test('a pod that has ended, or not begun, costs no budget', () =>
  withRegistry(async ({ registry }) => {
    await makePod(registry, 'done', { phase: 'Succeeded', ready: false })
    await makePod(registry, 'waiting', { phase: 'Pending', ready: false })
    await makeBudget(registry, { minAvailable: 5 })
    assert.equal([await evict(registry, 'done'), await evict(registry, 'waiting')], [201, 201])
  }))

test('an unready pod may go where enough others are healthy, or where the policy says so', () =>
  withRegistry(async ({ registry }) => {
    await makePod(registry, 'sick', { ready: false })
    await makeBudget(registry, { minAvailable: 1 })
    assert.is(await evict(registry, 'sick'), 429)
    await makePod(registry, 'well')
    assert.is(await evict(registry, 'sick'), 201)
    await registry.delete(at(BUDGET, 'keep'))
    await registry.delete(at(POD, 'well'), { graceSeconds: 0 })
    await makeBudget(registry, { minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' })
    assert.is(await evict(registry, 'sick'), 201)
  }))

test('two budgets over one pod are refused, as upstream', () =>
  withRegistry(async ({ registry }) => {
    await makePod(registry, 'a')
    await makeBudget(registry, { minAvailable: 0 })
    await makeBudget(registry, { minAvailable: 0 }, 'other')
    assert.is(await evict(registry, 'a'), 500)
  }))

test('a bound pod is marked first, with less time when asked again, and gone at zero', () =>
  withRegistry(async ({ registry }) => {
    await makePod(registry, 'a')
    const marked = async (graceSeconds?: number) => {
      const { gone, bytes } = await registry.delete(at(POD, 'a'), { graceSeconds })
      const { deletionGracePeriodSeconds, deletionTimestamp } = (JSON.parse(bytes.toString()) as ApiObject).metadata
      return { gone, seconds: deletionGracePeriodSeconds, atMs: Date.parse(String(deletionTimestamp)) }
    }
    const first = await marked()
    assert.equal([first.gone, first.seconds], [undefined, 30])
    assert.ok(first.atMs > Date.now() + 25_000)
    const shorter = await marked(5)
    assert.equal([shorter.seconds, first.atMs - shorter.atMs], [5, 25_000])
    assert.is((await marked(60)).seconds, 5)
    await marked(3)
    assert.is((await marked()).seconds, 3, 'asked without a time, nothing changes')
    await registry.update(at(POD, 'a'), (pod) => ({ ...pod, status: { phase: 'Running' } }), 'status')
    assert.ok(registry.find(at(POD, 'a')), 'a report does not end it')
    assert.ok((await marked(0)).gone)
  }))

test.run()
