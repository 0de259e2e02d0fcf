/** Server-side apply with a real kubectl on the real server: conflicts, taking over, sharing, and the way from client-side apply. */
import pino from 'pino'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import type { Entry } from '../../api-server/registry/managed-fields/entries.ts'
import { pathsOf, showPath } from '../../api-server/registry/managed-fields/field-set.ts'
import { type BoundKubectl, bindKubectl } from '../support/expect-kubectl.ts'
import { type KubectlResult, kubectls } from '../support/kubectl.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'

const test = suiteOf('kubectl apply --server-side', { needs: ['kubectl 1.32'] })

let server: ApiServer
let kubectl: BoundKubectl
/** However a command ends that is given something on its standard input. */
let ends: (input: string, ...args: readonly string[]) => Promise<KubectlResult>

test.before(async () => {
  server = await startApiServer({
    dataDir: tempDir(),
    listen: '127.0.0.1:0',
    store: 'embedded',
    log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
  })
  const recent = (await kubectls()).find(({ version }) => version === '1.32')
  if (recent === undefined) throw new Error('the kubectl that was there is gone')
  kubectl = bindKubectl(recent, () => server.kubeconfigPath)
  ends = (input, ...args) => recent.run(args, { kubeconfig: server.kubeconfigPath, input })
})

test.after(() => server?.close())

const SSA = ['apply', '--server-side', '-f', '-'] as const

const unit = (name: string, spec: object = {}, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name, ...metadata },
    spec: { desiredState: 'inactive', content: '[Service]\nExecStart=/bin/true\n', ...spec },
  })

const configMap = (name: string, data: object, metadata: object = {}) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data })

interface Shown {
  readonly metadata: {
    readonly resourceVersion: string
    readonly annotations?: Record<string, string>
    readonly managedFields?: Entry[]
  }
  readonly spec: Readonly<Record<string, unknown>>
  readonly data: Readonly<Record<string, string>>
}

async function get(type: string, name: string): Promise<Shown> {
  return JSON.parse(await kubectl('get', type, name, '-o', 'json', '--show-managed-fields')) as Shown
}

/** `Apply m1: .spec.content`, one line an entry; the unit's content and state are left out. */
async function owners(type: string, name: string): Promise<string[]> {
  const { metadata } = await get(type, name)
  return (metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => {
    const paths = [...pathsOf(fieldsV1)].map(showPath)
    const who = [operation, manager, ...(subresource ? [subresource] : [])].join(' ')
    return `${who}: ${paths.filter((path) => !/^\.spec\.(content|desiredState)$/.test(path)).join(' ')}`
  })
}

test('an object is made, changed and left alone', async () => {
  assert.is(await kubectl.given(unit('one.service'), ...SSA), 'unit.flotilla.dev/one.service serverside-applied')
  const made = await get('unit', 'one.service')
  await kubectl.given(unit('one.service'), ...SSA)
  assert.equal(await get('unit', 'one.service'), made)
  await kubectl.given(unit('one.service', { unitName: 'one.service' }), ...SSA)
  assert.equal(await owners('unit', 'one.service'), ['Apply kubectl: .spec.unitName'])
  assert.is.not((await get('unit', 'one.service')).metadata.resourceVersion, made.metadata.resourceVersion)
})

test('YAML is as good as JSON, and what is left out goes', async () => {
  const yaml = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n${data}`
  await kubectl.given(yaml('  a: "1"\n  b: "2"\n'), ...SSA)
  await kubectl.given(yaml('  b: "2"\n'), ...SSA)
  assert.equal((await get('configmap', 'yaml')).data, { b: '2' })
})

test('a default comes back when its field is given up', async () => {
  await kubectl.given(unit('default.service', { failover: 'none' }), ...SSA)
  assert.is((await get('unit', 'default.service')).spec.failover, 'none')
  await kubectl.given(unit('default.service'), ...SSA)
  assert.is((await get('unit', 'default.service')).spec.failover, 'reschedule')
})

test('managers do not overwrite each other unless they force it', async () => {
  await kubectl.given(configMap('shared', { a: '1', b: '1' }), ...SSA, '--field-manager=m1')
  const { code, stderr } = await ends(configMap('shared', { a: '2', b: '2' }), ...SSA, '--field-manager=m2')
  assert.is(code, 1)
  assert.match(stderr, 'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.a\n- .data.b')
  assert.match(stderr, 'Please review the fields above')
  await kubectl.given(configMap('shared', { a: '2' }), ...SSA, '--field-manager=m2', '--force-conflicts')
  assert.equal(await owners('configmap', 'shared'), ['Apply m1: .data.b', 'Apply m2: .data.a'])
  assert.equal((await get('configmap', 'shared')).data, { a: '2', b: '1' })
})

test('the same value is shared until nobody wants it', async () => {
  for (const manager of ['m1', 'm2'])
    await kubectl.given(configMap('common', { a: '1', [manager]: 'x' }), ...SSA, `--field-manager=${manager}`)
  await kubectl.given(configMap('common', { m1: 'x' }), ...SSA, '--field-manager=m1')
  assert.equal((await get('configmap', 'common')).data, { a: '1', m1: 'x', m2: 'x' })
  await kubectl.given(configMap('common', { m2: 'x' }), ...SSA, '--field-manager=m2')
  assert.equal((await get('configmap', 'common')).data, { m1: 'x', m2: 'x' })
})

test('an edit takes what it changes, and the next apply is told', async () => {
  await kubectl.given(configMap('edited', { a: '1', b: '1' }), ...SSA)
  await kubectl('patch', 'configmap', 'edited', '-p', '{"data":{"a":"2"}}')
  assert.equal(await owners('configmap', 'edited'), ['Apply kubectl: .data.b', 'Update kubectl-patch: .data.a'])
  const { stderr } = await ends(configMap('edited', { a: '1', b: '1' }), ...SSA)
  assert.match(stderr, 'Apply failed with 1 conflict: conflict with "kubectl-patch" using v1: .data.a')
})

test('lists are shared by name, and a name may not come twice', async () => {
  const env = (...names: string[]) => ({ environment: names.map((name) => ({ name, value: '1' })) })
  await kubectl.given(unit('env.service', env('B', 'A')), ...SSA, '--field-manager=m1')
  await kubectl.given(unit('env.service', env('C', 'A')), ...SSA, '--field-manager=m2')
  assert.equal((await get('unit', 'env.service')).spec.environment, env('B', 'C', 'A').environment)
  await kubectl.given(unit('env.service'), ...SSA, '--field-manager=m1')
  assert.equal((await get('unit', 'env.service')).spec.environment, env('C', 'A').environment)
  const { stderr } = await ends(unit('env.service', env('A', 'A')), ...SSA, '--field-manager=m2')
  assert.match(stderr, '.spec.environment: duplicate entries for key [name="A"]')
})

test('unknown fields are refused, and what is wrong by schema is named', async () => {
  const bogus = await ends(unit('bogus.service', { bogus: 1 }), ...SSA)
  assert.match(bogus.stderr, 'strict decoding error: unknown field "spec.bogus"')
  await kubectl.given(unit('bogus.service', { bogus: 1 }), ...SSA, '--validate=warn')
  assert.equal(await owners('unit', 'bogus.service'), ['Apply kubectl: '])
  const wrong = await ends(unit('bogus.service', { replicas: 'many' }), ...SSA)
  assert.match(wrong.stderr, 'spec.replicas in body must be of type')
})

test('a dry run and a diff show what would be, and keep nothing', async () => {
  await kubectl.given(configMap('dry', { a: '1' }), ...SSA)
  const before = await get('configmap', 'dry')
  await kubectl.given(configMap('dry', { a: '2' }), ...SSA, '--dry-run=server')
  const { code, stdout } = await ends(configMap('dry', { a: '2' }), 'diff', '--server-side', '-f', '-')
  assert.is(code, 1)
  assert.match(stdout, '-  a: "1"\n+  a: "2"')
  await kubectl.given(configMap('dry', { a: '1' }), 'diff', '--server-side', '-f', '-')
  await kubectl.given(configMap('unborn', { a: '1' }), ...SSA, '--dry-run=server')
  assert.match((await kubectl.ends('get', 'configmap', 'unborn')).stderr, 'NotFound')
  assert.equal(await get('configmap', 'dry'), before)
})

for (const [type, manifest] of [
  ['configmap', (value: string) => configMap('migrated', { a: value, b: '1' })],
  ['unit', (value: string) => unit('migrated', { unitName: 'migrated.service', machineName: value })],
] as const)
  test(`what client-side apply made goes over to server-side apply, with a change in it: ${type}`, async () => {
    const name = type === 'unit' ? 'migrated.service' : 'migrated'
    const text = (value: string) => manifest(value).replace('"name":"migrated"', `"name":"${name}"`)
    await kubectl.given(text('one'), 'apply', '-f', '-')
    const [made] = await owners(type, name)
    assert.match(made ?? '', /^Update kubectl-client-side-apply: /)
    await kubectl.given(text('two'), ...SSA)
    const entries = (await get(type, name)).metadata.managedFields ?? []
    assert.equal(entries.map(({ manager, operation }) => `${operation} ${manager}`).toSorted(), [
      'Apply kubectl',
      'Apply kubectl-last-applied',
    ])
    await kubectl.given(text('two').replace(/,"b":"1"/, ''), ...SSA)
    if (type === 'configmap') assert.equal((await get(type, name)).data, { a: 'two' })
    // The way back: the annotation was kept up, so client-side apply sees that there is nothing to do.
    assert.match(await kubectl.given(text('two').replace(/,"b":"1"/, ''), 'apply', '-f', '-'), /unchanged/)
  })

test('status is managed apart, and cannot be applied through the object', async () => {
  await kubectl.given(unit('status.service'), ...SSA)
  const status = {
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name: 'status.service' },
    status: { hash: 'h' },
  }
  await kubectl.given(JSON.stringify(status), ...SSA, '--subresource=status', '--field-manager=reporter')
  await kubectl(
    'patch',
    'unit',
    'status.service',
    '--subresource=status',
    '--type=merge',
    '-p',
    '{"status":{"replicas":1}}',
  )
  assert.equal(await owners('unit', 'status.service'), [
    'Apply kubectl: ',
    'Apply reporter status: .status.hash',
    'Update kubectl-patch status: .status.replicas',
  ])
  await kubectl.given(unit('status.service').replace('"spec"', '"status":{"hash":"x"},"spec"'), ...SSA)
  const shown = await kubectl('get', 'unit', 'status.service', '-o', 'jsonpath={.status.hash}')
  assert.is(shown, 'h')
})

test('scaling is entered under scale', async () => {
  await kubectl.given(unit('scaled@.service', { replicas: 0 }), ...SSA)
  await kubectl('scale', 'unit', 'scaled@.service', '--replicas=1')
  assert.equal(await owners('unit', 'scaled@.service'), ['Apply kubectl: ', 'Update kubectl scale: .spec.replicas'])
})

test('managedFields are hidden by default, and can be cleared for good', async () => {
  await kubectl.given(configMap('cleared', { a: '1' }), ...SSA)
  assert.not.match(await kubectl('get', 'configmap', 'cleared', '-o', 'yaml'), 'managedFields')
  const clear = '[{"op":"replace","path":"/metadata/managedFields","value":[{}]}]'
  await kubectl('patch', 'configmap', 'cleared', '--type=json', '-p', clear)
  await kubectl('label', 'configmap', 'cleared', 'a=b')
  assert.equal(await owners('configmap', 'cleared'), [])
  await kubectl.given(configMap('cleared', { a: '1' }), ...SSA)
  assert.equal(await owners('configmap', 'cleared'), [
    'Apply kubectl: .data.a',
    'Update before-first-apply: .data .data.a .metadata.labels .metadata.labels.a',
  ])
})

test.run()
