/** What becomes of dependents, budgets and namespaces, as kubectl's users see it: the product in a process of its own. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isApiError } from '../../controllers/lib/client.ts'
import { MACHINE_LEASES } from '../../crds/group.ts'
import { ConfigMap, Lease, Machine, Pod, PodDisruptionBudget } from '../../crds/index.ts'
import { kubectlStory } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { type Product, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('garbage collection')
const clients = await kubectls()
/** What kubectl asks for differs with its age only here; the rest is told once. */
const cascades = kubectlStory(test, clients)
const story = kubectlStory(test, clients.slice(-1))
const dataDir = tempDir()
let product: Product
let count = 0

const start = async (): Promise<void> => {
  product = await startProduct(['up', '--machines', '0'], { dataDir })
}
test.before(start)
test.after(async () => product[Symbol.asyncDispose]())

interface Owned {
  readonly owner: string
  /** Names of the dependents. */
  readonly names: readonly string[]
  readonly reference: Record<string, unknown>
}

/** An owner and so many dependents that block its deletion. */
async function family(size: number, extra: { readonly finalizers?: string[] } = {}): Promise<Owned> {
  const owner = `owner-${count++}`
  const { metadata } = await product.admin.create(ConfigMap, { metadata: { name: owner, namespace: 'default' } })
  const reference = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: owner,
    uid: metadata.uid ?? '',
    blockOwnerDeletion: true,
  }
  const names = Array.from({ length: size }, (_, at) => `${owner}-${at}`)
  for (let at = 0; at < size; at += 50)
    await Promise.all(names.slice(at, at + 50).map((name) => create(name, { ownerReferences: [reference], ...extra })))
  return { owner, names, reference }
}

const create = (name: string, metadata: object) =>
  product.admin.create(ConfigMap, { metadata: { name, namespace: 'default', ...metadata } })

const read = (name: string) =>
  product.admin.get(ConfigMap, name, { namespace: 'default' }).catch((error: unknown) => {
    if (isApiError(error, 404)) return undefined
    throw error
  })

const gone = (name: string, timeoutMs: number) =>
  until(async () => (await read(name)) === undefined, { what: `the end of ${name}`, timeoutMs })

cascades.promise('a dependent is gone within a second of its owner', async (kubectl) => {
  const { owner, names } = await family(1)
  await kubectl('delete', 'configmap', owner)
  await gone(names[0] ?? '', 1_000)
})

cascades.promise('dependents that are orphaned stay, and know their owner no more', async (kubectl) => {
  const { owner, names } = await family(3)
  await kubectl('delete', 'configmap', owner, '--cascade=orphan')
  assert.is(await read(owner), undefined, 'kubectl has waited for it')
  for (const name of names) assert.is((await read(name))?.metadata.ownerReferences, undefined)
})

cascades.promise('an owner deleted in the foreground outlasts what blocks it', async (kubectl) => {
  const { owner, names } = await family(2, { finalizers: ['test.dev/hold'] })
  await kubectl('delete', 'configmap', owner, '--cascade=foreground', '--wait=false')
  for (const name of names)
    await until(async () => (await read(name))?.metadata.deletionTimestamp, { what: 'the dependents are told to go' })
  assert.equal((await read(owner))?.metadata.finalizers, ['foregroundDeletion'])
  for (const name of names)
    await kubectl('patch', 'configmap', name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
  await gone(owner, 5_000)
})

cascades.promise('a later deletion changes what becomes of the dependents', async (kubectl) => {
  const { owner, names } = await family(1, { finalizers: ['test.dev/hold'] })
  await kubectl('delete', 'configmap', owner, '--cascade=foreground', '--wait=false')
  await kubectl('delete', 'configmap', owner)
  assert.is(await read(owner), undefined)
  await kubectl('patch', 'configmap', names[0] ?? '', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
  await gone(names[0] ?? '', 1_000)
})

story.promise('whoever has another owner stays, without the one that is gone', async (kubectl) => {
  const [first, second] = [await family(0), await family(0)]
  await create(`${first.owner}-both`, { ownerReferences: [first.reference, second.reference] })
  await kubectl('delete', 'configmap', first.owner)
  await until(async () => (await read(`${first.owner}-both`))?.metadata.ownerReferences?.length === 1, {
    what: 'one reference is left',
  })
  assert.is((await read(`${first.owner}-both`))?.metadata.ownerReferences?.[0]?.name, second.owner)
})

story.promise("objects of users' own kinds own and are owned", async (kubectl) => {
  const plural = `ships${count++}`
  await kubectl.given(definition(plural), 'create', '-f', '-')
  await kubectl('wait', '--for=condition=Established', `crd/${plural}.test.dev`, '--timeout=5s')
  const ship = (name: string, owner?: string) =>
    JSON.stringify({
      apiVersion: 'test.dev/v1',
      kind: `Ship${plural}`,
      metadata: {
        name,
        ...(owner && {
          ownerReferences: [{ apiVersion: 'test.dev/v1', kind: `Ship${plural}`, name: 'mother', uid: owner }],
        }),
      },
    })
  await kubectl.given(ship('mother'), 'create', '-f', '-')
  const uid = await kubectl('get', plural, 'mother', '-o', 'jsonpath={.metadata.uid}')
  await kubectl.given(ship('child', uid), 'create', '-f', '-')
  const reference = { apiVersion: 'test.dev/v1', kind: `Ship${plural}`, name: 'mother', uid }
  await create(`${plural}-cargo`, { ownerReferences: [reference] })
  await kubectl('delete', plural, 'mother')
  await until(async () => (await kubectl('get', plural)) === '', { what: 'the end of the child', timeoutMs: 2_000 })
  await gone(`${plural}-cargo`, 1_000)
})

function definition(plural: string): string {
  const kind = `Ship${plural}`
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.test.dev` },
    spec: {
      group: 'test.dev',
      scope: 'Namespaced',
      names: { plural, singular: plural, kind, listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  })
}

story.promise('an owner in another namespace is none, and people are told', async (kubectl) => {
  const { reference } = await family(0)
  const namespace = `far-${count++}`
  await kubectl('create', 'namespace', namespace)
  await product.admin.create(ConfigMap, { metadata: { name: 'far', namespace, ownerReferences: [reference as never] } })
  const far = () => kubectl('get', 'configmap', 'far', '-n', namespace, '--ignore-not-found')
  await until(async () => (await far()) === '', { what: 'the end of what nobody owns' })
  await until(async () => (await kubectl('get', 'events', '-n', namespace)).includes('OwnerRefInvalidNamespace'), {
    what: 'the event',
  })
})

story.promise('a budget keeps a drain waiting, and says so before', async (kubectl) => {
  const node = `node-${count++}`
  await product.admin.create(Machine, { metadata: { name: node } })
  const pod = await readyPod(node)
  await product.admin.create(PodDisruptionBudget, {
    metadata: { name: node, namespace: 'default' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: node } } },
  })
  const status = () =>
    kubectl(
      'get',
      'pdb',
      node,
      '-o',
      'jsonpath={.status.expectedPods} {.status.currentHealthy} {.status.disruptionsAllowed} {.status.conditions[0].reason}',
    )
  await until(async () => (await status()) === '1 1 0 InsufficientPods', { what: 'the budget knows its pod' })
  const drain = () => kubectl.ends('drain', node, '--force', '--timeout=1s')
  assert.match((await drain()).stderr, /Cannot evict pod as it would violate the pod's disruption budget/)
  await kubectl('patch', 'pdb', node, '--type=merge', '-p', '{"spec":{"minAvailable":0}}')
  await until(async () => (await status()).endsWith('1 SufficientPods'), { what: 'the budget allows it' })
  assert.is((await kubectl.ends('drain', node, '--force', '--timeout=5s')).code, 0)
  assert.is((await kubectl.ends('get', 'pod', pod)).code, 1)
})

async function readyPod(node: string): Promise<string> {
  const name = `${node}-pod`
  const containers = [{ name: 'main', image: 'none' }]
  const metadata = { name, namespace: 'default', labels: { app: node } }
  await product.admin.create(Pod, {
    metadata,
    spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers },
  } as never)
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await product.admin.patch(Pod, name, { type: 'merge', subresource: 'status', namespace: 'default', body: { status } })
  return name
}

story.promise('describe node shows when the machine was last heard of', async (kubectl) => {
  const name = `beating-${count++}`
  await product.admin.create(Machine, { metadata: { name } })
  const renewTime = '2031-02-03T04:05:06.000000Z'
  const spec = { holderIdentity: name, renewTime }
  await product.admin.create(Lease, { metadata: { name, namespace: MACHINE_LEASES }, spec })
  assert.match(await kubectl('describe', 'node', name), /RenewTime:\s+\w+, 03 Feb 2031/)
})

story.promise('a namespace that is held says what holds it', async (kubectl) => {
  const name = `held-${count++}`
  await kubectl('create', 'namespace', name)
  await until(async () => kubectl('get', 'serviceaccount', 'default', '-n', name), { what: 'the default account' })
  await product.admin.create(ConfigMap, { metadata: { name: 'kept', namespace: name, finalizers: ['test.dev/hold'] } })
  await kubectl('delete', 'namespace', name, '--wait=false')
  const reasons = () => kubectl('get', 'namespace', name, '-o', 'jsonpath={.status.conditions[*].reason}')
  await until(async () => (await reasons()).endsWith('ContentDeleted SomeResourcesRemain SomeFinalizersRemain'), {
    what: 'the conditions',
  })
  await kubectl('patch', 'configmap', 'kept', '-n', name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
  const held = () => kubectl('get', 'namespace', name, '--ignore-not-found')
  await until(async () => (await held()) === '', { what: 'the end of the namespace' })
})

cascades.tell(() => product.kubeconfig)
story.tell(() => product.kubeconfig)

test('a thousand dependents go within 10 s of their owner', async () => {
  const { owner } = await family(1_000)
  await product.admin.delete(ConfigMap, owner, { namespace: 'default' })
  await until(async () => (await remaining(owner)) === 0, { what: 'all dependents are gone', timeoutMs: 10_000 })
})

test('what a kill -9 interrupts goes on afterwards, and no living owner loses anything', async () => {
  const { owner } = await family(200)
  const stays = await family(20)
  await product.admin.delete(ConfigMap, owner, { namespace: 'default' })
  await until(async () => (await remaining(owner)) < 200, { what: 'the first dependents are gone' })
  await product.stop('SIGKILL')
  await start()
  await until(async () => (await remaining(owner)) === 0, { what: 'all dependents are gone', timeoutMs: 15_000 })
  assert.is(await remaining(stays.owner), 21)
})

async function remaining(owner: string): Promise<number> {
  const { items } = await product.admin.list(ConfigMap, { namespace: 'default' })
  return items.filter(({ metadata }) => metadata.name === owner || metadata.name.startsWith(`${owner}-`)).length
}

test.run()
