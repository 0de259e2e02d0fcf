/**
 * Kubernetes' own kinds, in the hands of each kubectl. Longer than other tests: one line a habit, and there are many
 * kinds to have habits with.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { objectOf } from '../../api-server/registry/entry.ts'
import { CORE_KINDS, Machine, Pod } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { type BoundKubectl, kubectlStory } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('kubectl and the core kinds')
const { promise, tell } = kubectlStory(test, await kubectls())
const folder = tempDir()
let server: ApiServer

const MACHINE = Machine as unknown as Kind
const POD = Pod as unknown as Kind

test.before(async () => {
  server = await startApiServer({
    dataDir: tempDir(),
    listen: '127.0.0.1:0',
    store: 'memory',
    log: pino({ level: 'silent' }),
  })
  await makeMachine('m1')
})
test.after(() => server?.close())

async function makeMachine(name: string): Promise<void> {
  const made = { apiVersion: 'flotilla.dev/v1', kind: 'Machine', metadata: { name, labels: { rack: 'a' } }, spec: {} }
  await server.registry.create(MACHINE, undefined, made)
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'AgentReady',
    message: 'well',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const status = {
    machineID: '0'.repeat(32),
    architecture: 'x86_64',
    osImage: 'Test OS',
    kernelVersion: '6.1.0',
    agentVersion: 'v0.1.0',
    capacity: { cpu: '4', memory: '8Gi' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    conditions: [condition],
  }
  await server.registry.update({ kind: MACHINE, namespace: undefined, name }, (one) => ({ ...one, status }), 'status')
}

function machine(name: string): ApiObject {
  return objectOf(server.registry.get({ kind: MACHINE, namespace: undefined, name }))
}

function file(name: string, ...objects: object[]): string {
  const path = join(folder, name)
  const [only] = objects
  writeFileSync(path, JSON.stringify(objects.length === 1 ? only : { apiVersion: 'v1', kind: 'List', items: objects }))
  return path
}

const meta = (name: string) => ({ name, namespace: 'default', labels: { suite: 'core' } })
const RBAC = 'rbac.authorization.k8s.io/v1'
const POD_SPEC = {
  containers: [{ name: 'web', image: 'nginx:1', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] }],
}

/** One of each that can be made, as a manifest says it. */
const OBJECTS: Readonly<Record<string, Record<string, unknown>>> = {
  configmap: { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta('settings'), data: { color: 'blue' } },
  secret: { apiVersion: 'v1', kind: 'Secret', metadata: meta('login'), data: { password: 'eA==' } },
  serviceaccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta('robot') },
  service: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('web'),
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
  endpointslice: {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta('web-1'),
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.9'] }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: meta('web'), spec: POD_SPEC },
  poddisruptionbudget: {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: meta('keep'),
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  },
  role: {
    apiVersion: RBAC,
    kind: 'Role',
    metadata: meta('reader'),
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  },
  rolebinding: {
    apiVersion: RBAC,
    kind: 'RoleBinding',
    metadata: meta('readers'),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }],
  },
  clusterrole: {
    apiVersion: RBAC,
    kind: 'ClusterRole',
    metadata: { name: 'watcher' },
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
  },
  clusterrolebinding: {
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'watchers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'watcher' },
    subjects: [{ kind: 'Group', name: 'ops', apiGroup: 'rbac.authorization.k8s.io' }],
  },
}

const nameOf = (object: Record<string, unknown>) => (object.metadata as { name: string }).name

const everything = file('everything.yaml', ...Object.values(OBJECTS))
const COUNT = Object.keys(OBJECTS).length
const counted = (output: string, pattern: RegExp) => assert.is(output.match(pattern)?.length, COUNT, output)

/** kubectl 1.20 describes these by the beta versions that it alone knows. */
const ONLY_BETA = new Set(['endpointslice', 'poddisruptionbudget'])

promise('every kind can be applied, described, labelled and deleted', async (kubectl) => {
  counted(await kubectl('apply', '-f', everything), / created$/gm)
  // A budget's selector is replaced by every patch, which kubectl counts as a change.
  counted(await kubectl('apply', '-f', everything), / unchanged$|^poddisruptionbudget.* configured$/gm)
  for (const [type, object] of Object.entries(OBJECTS))
    if (kubectl.version !== '1.20' || !ONLY_BETA.has(type))
      assert.match(await kubectl('describe', type, nameOf(object)), new RegExp(`^Name: +${nameOf(object)}\n`))
  counted(await kubectl('label', '-f', everything, 'tier=front'), / labeled$/gm)
  counted(await kubectl('apply', '-f', everything), / (unchanged|configured)$/gm)
})

const EDITED = ['configmap', 'secret', 'service', 'pod', 'role']

promise('kinds can be edited, and show wide tables', async (kubectl) => {
  for (const type of EDITED) {
    const name = nameOf(OBJECTS[type] ?? {})
    assert.match(await kubectl.edited('s/tier: front/tier: back/', 'edit', type, name), /edited$/)
    const [row] = await kubectl.rows('get', type, name, '-o', 'wide', '-L', 'tier')
    assert.equal([row?.name, row?.tier], [name, 'back'])
  }
  counted(await kubectl('delete', '-f', everything), / (deleted|force deleted)( from default namespace)?$/gm)
})

promise('explain knows every kind to the bottom', async (kubectl) => {
  for (const { plural, group, version } of CORE_KINDS) {
    const apiVersion = group === '' ? version : `${group}/${version}`
    const told = await kubectl('explain', plural, '--recursive', `--api-version=${apiVersion}`)
    assert.match(told, 'metadata', plural)
  }
  assert.match(await kubectl('explain', 'pods.spec.containers.livenessProbe.httpGet'), /path/)
})

promise('unknown fields of a pod are refused by name', async (kubectl) => {
  const path = file('bogus.yaml', { ...OBJECTS.pod, metadata: meta('bogus'), spec: { ...POD_SPEC, bogus: 1 } })
  const { code, stderr } = await kubectl.ends('create', '-f', path)
  assert.is(code, 1)
  assert.match(stderr, /unknown field "?\w*\.?(spec\.)?bogus/)
})

promise('create makes core objects from the command line', async (kubectl) => {
  const made = async (...args: string[]) => assert.match(await kubectl('create', ...args), /created$/)
  await made('namespace', 'made')
  await made('configmap', 'a', '-n', 'made', '--from-literal=color=blue', '--from-literal=empty=')
  await made('secret', 'generic', 'b', '-n', 'made', '--from-literal=password=x')
  await made('serviceaccount', 'c', '-n', 'made')
  await made('service', 'clusterip', 'd', '-n', 'made', '--tcp=80:8080')
  await made('service', 'nodeport', 'e', '-n', 'made', '--tcp=80:8080')
  await made('service', 'externalname', 'f', '-n', 'made', '--external-name=example.com')
  await made('role', 'g', '-n', 'made', '--verb=get,list', '--resource=pods')
  await made('clusterrole', 'made-h', '--verb=get', '--resource=nodes')
  await made('rolebinding', 'i', '-n', 'made', '--role=g', '--user=ann')
  await made('clusterrolebinding', 'made-j', '--clusterrole=made-h', '--group=ops')
  assert.is(await kubectl('get', 'cm', 'a', '-n', 'made', '-o', 'jsonpath={.data.color}'), 'blue')
  assert.is(await kubectl('get', 'secret', 'b', '-n', 'made', '-o', 'jsonpath={.data.password}'), 'eA==')
  const [service] = await kubectl.rows('get', 'svc', 'd', '-n', 'made')
  assert.is(service?.['port(s)'], '80/TCP')
  assert.match(await kubectl('delete', 'clusterrole/made-h', 'clusterrolebinding/made-j'), /deleted/)
  await kubectl('delete', 'namespace', 'made')
  assert.match((await kubectl.ends('get', 'namespace', 'made')).stderr, /not found/)
})

promise('a budget is made from the command line by kubectls that know its version', async (kubectl) => {
  if (kubectl.version === '1.20') return // crashes by itself where policy/v1beta1 is not served
  const { code, stdout, stderr } = await kubectl.ends('create', 'pdb', 'k', '--min-available=1', '--selector=app=web')
  assert.is(code, 0, stderr)
  assert.match(stdout, /created/)
  const [row] = await kubectl.rows('get', 'pdb', 'k')
  assert.equal([row?.['min available'], row?.['max unavailable']], ['1', 'N/A'])
  await kubectl('delete', 'pdb', 'k')
})

promise('what is not served is refused by the name of its kind', async (kubectl) => {
  const refused = async (kind: RegExp, ...args: string[]) => {
    const { code, stderr } = await kubectl.ends('create', ...args)
    assert.is(code, 1)
    assert.match(stderr, kind)
  }
  await refused(/ResourceQuota/, 'quota', 'q', '--hard=pods=1')
  // kubectl 1.20 sends JSON, whose path alone says that there is no such resource.
  const named = (kind: RegExp) => (kubectl.version === '1.20' ? /could not find the requested resource/ : kind)
  await refused(named(/Deployment \(apps\/v1\)/), 'deployment', 'd', '--image=x')
  await refused(named(/Job \(batch\/v1\)/), 'job', 'j', '--image=x')
  await refused(named(/CronJob \(batch\/v1\)/), 'cronjob', 'c', '--image=x', '--schedule=@hourly')
  if (kubectl.version !== '1.20') await refused(/TokenRequest/, 'token', 'robot')
})

promise('a bad object is refused with every cause', async (kubectl) => {
  const bad = {
    ...OBJECTS.service,
    metadata: meta('1bad'),
    spec: { ports: [{ port: 0, targetPort: 1 }], type: 'Magic' },
  }
  const { code, stderr } = await kubectl.ends('create', '-f', file('bad.yaml', bad))
  assert.is(code, 1)
  assert.match(stderr, /metadata\.name: Invalid value: "1bad": a DNS-1035 label/)
  assert.match(stderr, /spec\.type: Unsupported value: "Magic": supported values: "ClusterIP"/)
  assert.match(stderr, /spec\.ports\[0\]\.port: Invalid value: 0: must be between 1 and 65535/)
})

promise('a strategic patch merges containers by name and removes what apply no longer says', async (kubectl) => {
  const two = {
    ...POD_SPEC.containers[0],
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
  }
  const pod = { ...OBJECTS.pod, metadata: meta('merged'), spec: { containers: [two, { name: 'side', image: 'b:1' }] } }
  await kubectl('apply', '-f', file('merged.yaml', pod))
  const patch = { spec: { containers: [{ name: 'side', image: 'b:2' }] } }
  assert.match(await kubectl('patch', 'pod', 'merged', '-p', JSON.stringify(patch)), /patched$/)
  assert.is(await kubectl('get', 'pod', 'merged', '-o', 'jsonpath={.spec.containers[*].image}'), 'nginx:1 b:2')
  const { stderr } = await kubectl.ends(
    'patch',
    'pod',
    'merged',
    '-p',
    '{"spec":{"containers":[{"name":"side","command":["x"]}]}}',
  )
  assert.match(stderr, /pod updates may not change fields other than/)
  const ports = (...all: number[]) => ({
    ...OBJECTS.service,
    metadata: meta('ports'),
    spec: { ports: all.map((port) => ({ name: `p${port}`, port })) },
  })
  await kubectl('apply', '-f', file('ports.yaml', ports(80, 81)))
  await kubectl('apply', '-f', file('ports.yaml', ports(81)))
  assert.is(await kubectl('get', 'svc', 'ports', '-o', 'jsonpath={.spec.ports[*].port}'), '81')
  await kubectl('delete', 'pod/merged', 'svc/ports')
})

promise('pods are selected by where they are and what they do', async (kubectl) => {
  await kubectl('run', 'free', '--image=a')
  await kubectl(
    'apply',
    '-f',
    file('bound.yaml', { ...OBJECTS.pod, metadata: meta('bound'), spec: { ...POD_SPEC, nodeName: 'm1' } }),
  )
  const names = async (selector: string) =>
    (await kubectl('get', 'pods', '--field-selector', selector, '-o', 'name')).split('\n')
  assert.equal(await names('spec.nodeName=m1'), ['pod/bound'])
  assert.equal(await names('spec.nodeName='), ['pod/free'])
  assert.equal(await names('status.phase=Pending,spec.restartPolicy=Always'), ['pod/bound', 'pod/free'])
  const rows = await kubectl.rows('get', 'pods', '-o', 'wide')
  assert.equal(
    rows.map(({ name, ready, status, node }) => [name, ready, status, node]),
    [
      ['bound', '0/1', 'Pending', 'm1'],
      ['free', '0/1', 'Pending', '<none>'],
    ],
  )
  await kubectl('delete', 'pod', 'free')
  await kubectl('delete', 'pod', 'bound', '--force', '--grace-period=0')
})

promise('a bound pod is given its time, and force ends it', async (kubectl) => {
  await kubectl(
    'apply',
    '-f',
    file('slow.yaml', { ...OBJECTS.pod, metadata: meta('slow'), spec: { ...POD_SPEC, nodeName: 'm1' } }),
  )
  await kubectl('delete', 'pod', 'slow', '--wait=false')
  const [row] = await kubectl.rows('get', 'pod', 'slow')
  assert.is(row?.status, 'Terminating')
  assert.is(await kubectl('get', 'pod', 'slow', '-o', 'jsonpath={.metadata.deletionGracePeriodSeconds}'), '30')
  await kubectl('delete', 'pod', 'slow', '--force', '--grace-period=0')
  assert.match((await kubectl.ends('get', 'pod', 'slow')).stderr, /not found/)
})

promise('machines are nodes: get, describe, label, cordon and taint', async (kubectl) => {
  const [row] = await kubectl.rows('get', 'nodes', '-o', 'wide')
  assert.equal([row?.name, row?.status, row?.version, row?.['internal-ip']], ['m1', 'Ready', 'v0.1.0', '10.0.0.1'])
  assert.match(await kubectl('describe', 'node', 'm1'), /Kernel Version: +6\.1\.0/)
  assert.match(await kubectl('cordon', 'm1'), /cordoned/)
  assert.equal(machine('m1').spec, { unschedulable: true })
  assert.is((await kubectl.rows('get', 'node', 'm1'))[0]?.status, 'Ready,SchedulingDisabled')
  assert.match(await kubectl('taint', 'node', 'm1', 'gpu=yes:NoSchedule', 'old:NoExecute'), /tainted/)
  assert.match(await kubectl('taint', 'node', 'm1', 'old-'), /untainted/)
  assert.equal((machine('m1').spec as { taints: object }).taints, [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }])
  await kubectl('taint', 'node', 'm1', 'gpu-')
  assert.match(await kubectl('uncordon', 'm1'), /uncordoned/)
  assert.equal(machine('m1').spec, {})
  await kubectl('label', 'node', 'm1', 'rack=b', '--overwrite')
  assert.equal(machine('m1').metadata.labels, { rack: 'b' })
  await kubectl('label', 'node', 'm1', 'rack=a', '--overwrite')
})

promise('a watch of nodes shows what happens to machines, each change once', async (kubectl) => {
  await using watch = await kubectl.start('get', 'node', 'm1', '-w', '--no-headers')
  await watch.waitForLine(/m1 .*Ready /)
  await kubectl('cordon', 'm1')
  await watch.waitForLine(/SchedulingDisabled/)
  await kubectl('uncordon', 'm1')
})

promise('nobody makes a node; deleting one deletes its machine', async (kubectl) => {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'm9' } }
  assert.match((await kubectl.ends('create', '-f', file('node.yaml', node))).stderr, /no Node can be created here/)
  await makeMachine('m2')
  assert.match(await kubectl('delete', 'node', 'm2'), /deleted/)
  assert.match((await kubectl.ends('get', 'machine', 'm2')).stderr, /not found/)
  assert.match((await kubectl.ends('get', 'node', 'm2')).stderr, /nodes "m2" not found/)
})

const drained = (name: string) => ({
  ...OBJECTS.pod,
  metadata: { ...meta(name), labels: { app: 'drained' } },
  spec: { ...POD_SPEC, nodeName: 'm1' },
})

/** What the machine's agent would do: end what is told to end. */
async function endDeletedPods(): Promise<number> {
  const pods = [...server.registry.feed.cache(POD).entries.from('')].map(objectOf)
  const due = pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
  for (const { metadata } of due)
    await server.registry.delete({ kind: POD, namespace: 'default', name: metadata.name }, { graceSeconds: 0 })
  return due.length
}

async function makeReady(name: string): Promise<void> {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await server.registry.update({ kind: POD, namespace: 'default', name }, (pod) => ({ ...pod, status }), 'status')
}

async function drain(kubectl: BoundKubectl): Promise<void> {
  const draining = kubectl('drain', 'm1', '--force', '--timeout=20s')
  await until(async () => (await endDeletedPods()) > 0, { what: 'an eviction', timeoutMs: 15_000 })
  await draining
}

promise('drain cordons a machine and evicts its pods', async (kubectl) => {
  await kubectl('apply', '-f', file('drained.yaml', drained('drained')))
  await drain(kubectl)
  assert.equal(machine('m1').spec, { unschedulable: true })
  assert.match((await kubectl.ends('get', 'pod', 'drained')).stderr, /not found/)
  await kubectl('uncordon', 'm1')
})

promise('an eviction that a budget does not allow is refused until it does', async (kubectl) => {
  const budget = {
    ...OBJECTS.poddisruptionbudget,
    metadata: meta('both'),
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'drained' } } },
  }
  await kubectl('apply', '-f', file('both.yaml', drained('one'), drained('two'), budget))
  await makeReady('one')
  await makeReady('two')
  const evict = (name: string) => {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } }
    const path = `/api/v1/namespaces/default/pods/${name}/eviction`
    return kubectl.ends('create', '--raw', path, '-f', file('eviction.json', eviction))
  }
  assert.is((await evict('one')).code, 0)
  assert.match((await evict('two')).stderr, /would violate the pod's disruption budget/)
  assert.is(await endDeletedPods(), 1)
  assert.match((await evict('two')).stderr, /would violate the pod's disruption budget/)
  await kubectl('delete', 'pdb', 'both')
  assert.is((await evict('two')).code, 0)
  assert.is(await endDeletedPods(), 1)
})

promise('deleting a namespace empties it of every kind', async (kubectl) => {
  await kubectl(
    'create',
    '-f',
    file('space.yaml', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'space' } }),
  )
  const inside = Object.values(OBJECTS).filter((object) => 'namespace' in (object.metadata as object))
  await kubectl(
    'apply',
    '-f',
    file('inside.yaml', ...inside.map((one) => ({ ...one, metadata: { name: nameOf(one), namespace: 'space' } }))),
  )
  assert.match(await kubectl('describe', 'namespace', 'space'), /No resource quota/)
  await kubectl('delete', 'namespace', 'space')
  assert.is(
    (
      await kubectl(
        'get',
        'pods,cm,secrets,svc,roles,pdb',
        '-A',
        '-o',
        'name',
        '--field-selector=metadata.namespace=space',
      )
    ).trim(),
    '',
  )
})

promise('objects without anything to carry out have no generation', async (kubectl) => {
  await kubectl('create', '-f', file('plain.yaml', { ...OBJECTS.configmap, metadata: meta('plain') }))
  assert.is(await kubectl('get', 'cm', 'plain', '-o', 'jsonpath={.metadata.generation}'), '')
  const replaced = { ...OBJECTS.configmap, metadata: meta('plain'), data: { color: 'red' } }
  const path = '/api/v1/namespaces/default/configmaps/plain'
  assert.match(await kubectl('replace', '--raw', path, '-f', file('plain.json', replaced)), /"red"/)
  await kubectl('delete', 'cm', 'plain')
})

tell(() => server.kubeconfigPath)
test.run()
