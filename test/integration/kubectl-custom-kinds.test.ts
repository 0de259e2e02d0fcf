/** Users' own kinds in the hands of each kubectl: each tells the story in a group of its own. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type BoundKubectl, kubectlStory } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { type Api, type Json, startApi } from './api-raw.ts'
import { collection, cronTab, cronTabs } from './custom-kinds.ts'

const test = suite('kubectl and users own kinds')
const { promise, tell } = kubectlStory(test, await kubectls())
const folder = tempDir()
let api: Api

test.before(async () => {
  api = await startApi()
})
test.after(async () => api[Symbol.asyncDispose]())

/** Two kubectls must not share short names' groups: each has its own. */
const groupOf = ({ version }: BoundKubectl) => `k${version.replace('.', '-')}.example.com`
const applied = (kubectl: BoundKubectl, ...objects: Json[]) =>
  kubectl.given(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }), 'apply', '-f', '-')
const type = (kubectl: BoundKubectl) => `crontabs.${groupOf(kubectl)}`
const field = (kubectl: BoundKubectl, path: string, ...which: string[]) =>
  kubectl('get', type(kubectl), ...which, '-o', `jsonpath={${path}}`)

async function refused(kubectl: BoundKubectl, object: Json, ...more: string[]): Promise<string> {
  const path = join(folder, 'refused.json')
  writeFileSync(path, JSON.stringify(object))
  const { code, stderr } = await kubectl.ends('create', '-f', path, ...more)
  assert.is(code, 1, stderr)
  return stderr
}

promise('a kind is there as soon as its definition is applied', async (kubectl) => {
  const group = groupOf(kubectl)
  await applied(kubectl, cronTabs(group, { categories: ['all'] }))
  await kubectl('wait', '--for=condition=established', `crd/crontabs.${group}`, '--timeout=5s')
  assert.match(await applied(kubectl, cronTab(group, 'my', { color: 'red' })), /created$/)
  assert.match(await applied(kubectl, cronTab(group, 'my', { color: 'red' })), /unchanged$/)
  assert.match(await applied(kubectl, cronTab(group, 'my', { color: 'blue' })), /configured$/)
  assert.match(await kubectl('api-resources', `--api-group=${group}`), /^crontabs +ct +k\S+\/v1 +true +CronTab$/m)
  assert.match(await kubectl('get', 'all', '-o', 'name'), new RegExp(`^crontab.${group}/my$`, 'm'))
})

promise('columns are those of the definition, more of them when wide', async (kubectl) => {
  const [row] = await kubectl.rows('get', type(kubectl), 'my')
  assert.equal(Object.keys(row ?? {}), ['name', 'spec', 'replicas', 'age'])
  assert.equal([row?.spec, row?.replicas], ['* * * * */5', '1'])
  assert.match(row?.age ?? '', /^\d+[sm]/)
  const [wide] = await kubectl.rows('get', type(kubectl), 'my', '-o', 'wide')
  assert.is(wide?.image, 'busybox')
})

promise('explain tells what the schema says', async (kubectl) => {
  const told = await kubectl('explain', 'crontabs.spec', `--api-version=${groupOf(kubectl)}/v1`)
  assert.match(told, /cronSpec\s+<string> -required-\s+When it runs\./)
})

promise('what the schema and its rules forbid is refused, unknown fields by name', async (kubectl) => {
  const group = groupOf(kubectl)
  const unknown = await refused(kubectl, cronTab(group, 'bad', { bogus: 1 }))
  assert.match(unknown, /unknown field "?\S*bogus/)
  const invalid = await refused(
    kubectl,
    cronTab(group, 'bad', { cronSpec: 'x', color: 'green', bogus: 1 }),
    '--validate=false',
  )
  assert.match(invalid, /spec\.color: Unsupported value: "green": supported values: "red", "blue"/)
  assert.match(invalid, /spec\.cronSpec: Invalid value: "x": spec\.cronSpec in body should match/)
  assert.match(await refused(kubectl, cronTab(group, 'bad', { replicas: 11 })), /replicas must not exceed maxReplicas/)
  const pruned = ['create', '--validate=false', '-f', '-']
  await kubectl.given(JSON.stringify(cronTab(group, 'pruned', { bogus: 1 })), ...pruned)
  assert.is(await field(kubectl, '.spec.bogus', 'pruned'), '')
})

promise('scale and status have ways of their own', async (kubectl) => {
  await kubectl('scale', type(kubectl), 'my', '--replicas=3')
  assert.is(await field(kubectl, '.spec.replicas', 'my'), '3')
  const { stderr } = await kubectl.ends('scale', type(kubectl), 'my', '--replicas=30')
  assert.match(stderr, /replicas must not exceed maxReplicas/)
  await kubectl('patch', type(kubectl), 'my', '--type=merge', '-p', '{"status":{"replicas":2}}')
  assert.is(await field(kubectl, '.status.replicas', 'my'), '', 'status is not written with the rest')
  if (kubectl.version !== '1.20') {
    const patch = ['--subresource=status', '--type=merge', '-p', '{"status":{"replicas":2},"spec":{"replicas":9}}']
    await kubectl('patch', type(kubectl), 'my', ...patch)
    assert.is(await field(kubectl, '.status.replicas', 'my'), '2')
    assert.is(await field(kubectl, '.spec.replicas', 'my'), '3')
  }
})

promise('objects are selected by the fields that the definition names', async (kubectl) => {
  const names = (selector: string) => kubectl('get', type(kubectl), '-o', 'name', `--field-selector=${selector}`)
  assert.is(await names('spec.color=blue'), `crontab.${groupOf(kubectl)}/my`)
  assert.is(await names('spec.color=red'), '')
  const { stderr } = await kubectl.ends('get', type(kubectl), '--field-selector=spec.image=busybox')
  assert.match(stderr, /field label not supported: spec\.image/)
})

promise('who applies from the server side owns what it said, and others are told', async (kubectl) => {
  const group = groupOf(kubectl)
  const by = (manager: string, ...more: string[]) => [
    'apply',
    '--server-side',
    `--field-manager=${manager}`,
    ...more,
    '-f',
    '-',
  ]
  const owned = (image: string) => JSON.stringify(cronTab(group, 'owned', { image }))
  await kubectl.given(owned('a'), ...by('ann'))
  await kubectl.given(owned('a'), ...by('bob'))
  const conflict = await kubectl.given(owned('b'), ...by('bob')).catch(String)
  assert.match(conflict, /conflict with "ann".*\.spec\.image/s)
  await kubectl.given(owned('b'), ...by('bob', '--force-conflicts'))
  assert.is(await field(kubectl, '.spec.image', 'owned'), 'b')
})

promise('every version shows the same objects, and can be edited', async (kubectl) => {
  const old = `crontabs.v1beta1.${groupOf(kubectl)}`
  assert.match(
    await kubectl('get', old, 'my', '-o', 'yaml'),
    new RegExp(`^apiVersion: ${groupOf(kubectl)}/v1beta1$`, 'm'),
  )
  assert.match(await kubectl.edited('s/image: busybox/image: edited/', 'edit', old, 'my'), /edited$/)
  assert.is(await field(kubectl, '.spec.image', 'my'), 'edited')
})

promise('a changed definition changes the table of the next get, and a watch goes on', async (kubectl) => {
  const group = groupOf(kubectl)
  const watch = await kubectl.start('get', type(kubectl), 'my', '-w', '-o', 'name')
  try {
    await until(() => watch.lines.some((line) => line.includes('my')), { what: 'the watch' })
    const definition = cronTabs(group, { categories: ['all'] })
    for (const version of definition.spec.versions)
      version.additionalPrinterColumns = [{ name: 'Color', type: 'string', jsonPath: '.spec.color' }]
    await applied(kubectl, definition)
    const table = { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } }
    const columns = async () => (await api.ask('GET', collection(group), table)).body.columnDefinitions
    await until(async () => (await columns()).length === 2, { what: 'the new column' })
    assert.equal(Object.keys((await kubectl.rows('get', type(kubectl), 'my'))[0] ?? {}), ['name', 'color'])
    await kubectl('annotate', type(kubectl), 'my', 'seen=yes')
    await until(() => watch.lines.length >= 2, { what: 'the change' })
  } finally {
    await watch.stop()
  }
})

promise('a definition goes with its objects', async (kubectl) => {
  const group = groupOf(kubectl)
  assert.match(await kubectl('delete', 'crd', `crontabs.${group}`), /deleted/)
  assert.is((await api.ask('GET', collection(group))).code, 404)
  const { stderr } = await kubectl.ends('get', type(kubectl))
  assert.match(stderr, /doesn't have a resource type|could not find the requested resource/)
})

tell(() => api.server.kubeconfigPath)
test.run()
