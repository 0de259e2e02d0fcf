/** What hands do with kubectl, on the product's three processes: server, controllers, and an agent without systemd. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Machine } from '../../crds/machine.ts'
import { kubectlStory } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import type { RunningProcess } from '../support/process.ts'
import { type Product, startFlotilla, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('kubectl habits')
const { promise, tell } = kubectlStory(test, await kubectls())
const folder = tempDir()
const helpers: RunningProcess[] = []
let product: Product

test.before(async () => {
  product = await startProduct(['server'])
  const { kubeconfig } = product
  const agent = ['agent', '--name', 'box', '--driver', 'process', '--listen', '127.0.0.1:0', '--data-dir', tempDir()]
  helpers.push(await startFlotilla(['controllers', '--kubeconfig', kubeconfig], kubeconfig))
  helpers.push(await startFlotilla([...agent, '--kubeconfig', kubeconfig], kubeconfig))
  const isReady = async () => {
    const { status } = await product.admin.get(Machine, 'box')
    return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
  }
  await until(isReady, { what: 'the machine to be Ready', timeoutMs: 10_000 })
})

test.after(async () => {
  for (const helper of helpers.toReversed()) await helper.stop()
  await product?.stop()
})

const manifest = (name: string, seconds: number, more: object = {}) =>
  JSON.stringify({
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name, labels: { suite: 'habits' } },
    spec: { content: `[Service]\nExecStart=/bin/sleep ${seconds}\n`, ...more },
  })

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const one = file('one.yaml', manifest('one.service', 1001))
const changed = file('changed.yaml', manifest('one.service', 1002))
const two = file('two.yaml', manifest('two.service', 2001))

promise('create -f makes a unit once, and says that it is there the second time', async (kubectl) => {
  assert.is(await kubectl('create', '-f', one), 'unit.flotilla.dev/one.service created')
  const again = await kubectl.ends('create', '-f', one)
  assert.is(again.code, 1)
  assert.match(again.stderr, /\(AlreadyExists\).*units\.flotilla\.dev "one\.service" already exists/)
  assert.match(await kubectl('wait', '--for=condition=Active', 'unit/one.service', '--timeout=10s'), /condition met/)
})

promise('apply takes over what create made, and is idempotent', async (kubectl) => {
  await kubectl('apply', '-f', one)
  assert.is(await kubectl('apply', '-f', one), 'unit.flotilla.dev/one.service unchanged')
  assert.is(await kubectl('apply', '-f', two), 'unit.flotilla.dev/two.service created')
})

promise('apply --dry-run=server checks everything and keeps nothing', async (kubectl) => {
  const before = await kubectl('get', 'unit', 'one.service', '-o', 'jsonpath={.metadata.resourceVersion}')
  assert.match(await kubectl('apply', '--dry-run=server', '-f', changed), /configured \(server dry run\)/)
  const after = await kubectl('get', 'unit', 'one.service', '-o', 'jsonpath={.metadata.resourceVersion}')
  assert.is(after, before)
  const wrong = await kubectl.ends('apply', '--dry-run=server', '-f', file('wrong.yaml', manifest('x.nonsense', 1)))
  assert.is(wrong.code, 1)
  assert.match(wrong.stderr, /x\.nonsense/)
})

promise('diff shows the line that would change and exits 1, and 0 when nothing would', async (kubectl) => {
  assert.is((await kubectl.ends('diff', '-f', one)).code, 0)
  const differs = await kubectl.ends('diff', '-f', changed)
  assert.is(differs.code, 1)
  assert.match(differs.stdout, /^-.*ExecStart=\/bin\/sleep 1001$/m)
  assert.match(differs.stdout, /^\+.*ExecStart=\/bin\/sleep 1002$/m)
})

promise('get prints a table, wide, name, yaml, json, jsonpath and custom columns', async (kubectl) => {
  const [row] = await kubectl.rows('get', 'unit', 'one.service')
  assert.equal([row?.name, row?.desired, row?.machine, row?.active], ['one.service', 'launched', 'box', 'active'])
  const [wide] = await kubectl.rows('get', 'un', 'one.service', '-o', 'wide')
  assert.match(`${wide?.scheduled} ${wide?.pid}`, /^Bound \d+$/)
  assert.is(await kubectl('get', 'unit/one.service', '-o', 'name'), 'unit.flotilla.dev/one.service')
  assert.match(await kubectl('get', 'units.flotilla.dev', 'one.service', '-o', 'yaml'), /^kind: Unit$/m)
  const list = JSON.parse(await kubectl('get', 'units', '-o', 'json'))
  assert.equal([list.kind, list.items.length], ['List', 2])
  assert.is(await kubectl('get', 'unit', 'one.service', '-o', 'jsonpath={.status.currentState}'), 'launched')
  const columns = 'custom-columns=N:.metadata.name,P:.status.systemd.mainPID'
  assert.match(await kubectl('get', 'units', '-o', columns), /^one\.service +\d+$/m)
  assert.match(await kubectl('get', 'units', '--sort-by=.spec.content', '--no-headers'), /^one(.|\n)*^two/m)
})

promise('get chooses by label and by field, and get all finds units', async (kubectl) => {
  await kubectl('label', 'unit', 'two.service', 'tier=back')
  assert.is(await kubectl('get', 'units', '-l', 'tier=back', '-o', 'name'), 'unit.flotilla.dev/two.service')
  assert.is(
    await kubectl('get', 'units', '-l', 'suite,tier notin (back)', '-o', 'name'),
    'unit.flotilla.dev/one.service',
  )
  const byName = ['get', 'units', '--field-selector', 'metadata.name=one.service', '-o', 'name']
  assert.is(await kubectl(...byName), 'unit.flotilla.dev/one.service')
  assert.is(
    (await kubectl('get', 'units', '--field-selector', 'spec.machineName=box', '-o', 'name')).split('\n').length,
    2,
  )
  assert.match(await kubectl('get', 'all'), /one\.service(.|\n)*two\.service/)
  assert.match((await kubectl.ends('get', 'unit', 'none.service')).stderr, /\(NotFound\)/)
})

promise('label, annotate and their removal', async (kubectl) => {
  assert.match(await kubectl('label', 'unit', 'one.service', 'tier=front'), / labeled$/)
  assert.match((await kubectl.ends('label', 'unit', 'one.service', 'tier=other')).stderr, /--overwrite/)
  await kubectl('label', 'unit', 'one.service', 'tier=other', '--overwrite')
  assert.match(await kubectl('annotate', 'unit', 'one.service', 'note=a b'), / annotated$/)
  const labels = 'jsonpath={.metadata.labels.tier} {.metadata.annotations.note}'
  assert.is(await kubectl('get', 'unit', 'one.service', '-o', labels), 'other a b')
  await kubectl('label', 'unit', 'one.service', 'tier-')
  await kubectl('annotate', 'unit', 'one.service', 'note-')
  assert.is(await kubectl('get', 'unit', 'one.service', '-o', labels), '')
})

promise('patch merges, patches by JSON Patch, and refuses what the schema does not allow', async (kubectl) => {
  const patch = (type: string, body: unknown) =>
    kubectl.ends('patch', 'unit', 'two.service', `--type=${type}`, '-p', JSON.stringify(body))
  assert.match((await patch('merge', { spec: { failover: 'none' } })).stdout, / patched$/m)
  const path = '/spec/failover'
  assert.is(
    (
      await patch('json', [
        { op: 'test', path, value: 'none' },
        { op: 'replace', path, value: 'exclusive' },
      ])
    ).code,
    0,
  )
  assert.is(await kubectl('get', 'unit', 'two.service', '-o', 'jsonpath={.spec.failover}'), 'exclusive')
  const failed = await patch('json', [
    { op: 'test', path, value: 'none' },
    { op: 'remove', path },
  ])
  assert.is(failed.code, 1)
  const refused = await patch('merge', { spec: { desiredState: 'running' } })
  assert.match(refused.stderr, /The Unit "two\.service" is invalid: spec\.desiredState/)
  assert.is((await patch('merge', { spec: { failover: null } })).code, 0)
  assert.is(await kubectl('get', 'unit', 'two.service', '-o', 'jsonpath={.spec.failover}'), 'reschedule')
})

promise('edit changes the object, and its process', async (kubectl) => {
  const pid = () => kubectl('get', 'unit', 'one.service', '-o', 'jsonpath={.status.systemd.mainPID}')
  const before = await pid()
  assert.match(await kubectl.edited('s/sleep 1001/sleep 1003/', 'edit', 'unit', 'one.service'), / edited$/)
  assert.match(await kubectl('get', 'unit', 'one.service', '-o', 'jsonpath={.spec.content}'), /sleep 1003/)
  await until(async () => !['0', before].includes(await pid()), { what: 'a new process' })
})

promise('replace puts the whole object, and --force makes it anew', async (kubectl) => {
  const uid = () => kubectl('get', 'unit', 'one.service', '-o', 'jsonpath={.metadata.uid}')
  const before = await uid()
  assert.match(await kubectl('replace', '-f', changed), / replaced$/)
  assert.is(await uid(), before)
  await kubectl('replace', '--force', '-f', one)
  assert.is.not(await uid(), before)
})

promise('scale sets the replicas of a template', async (kubectl) => {
  await kubectl.given(manifest('many@.service', 3001, { replicas: 0 }), 'apply', '-f', '-')
  assert.match(await kubectl('scale', 'unit', 'many@.service', '--replicas=2'), / scaled$/)
  assert.is(await kubectl('get', 'unit', 'many@.service', '-o', 'jsonpath={.spec.replicas}'), '2')
  await kubectl('delete', 'unit', 'many@.service')
})

promise('get -w of one name tells of that one alone', async (kubectl) => {
  await using watch = await kubectl.start('get', 'unit', 'two.service', '-w', '--no-headers')
  await watch.waitForLine(/^two\.service +launched/)
  await kubectl('label', 'unit', 'one.service', 'seen=no')
  await kubectl('patch', 'unit', 'two.service', '--type=merge', '-p', '{"spec":{"desiredState":"loaded"}}')
  await watch.waitForLine(/^two\.service +loaded +box +inactive/)
  assert.not(watch.lines.some((line) => line.includes('one.service')))
})

promise('explain knows the kinds down to their leaves', async (kubectl) => {
  assert.match(await kubectl('explain', 'unit'), /A systemd unit that runs on one machine/)
  const spec = await kubectl('explain', 'unit.spec')
  for (const part of [/DESCRIPTION:\s+(?!<empty>)\S/, /content\s+<string> -required-/, /desiredState\s+<string>/])
    assert.match(spec, part)
  assert.match(await kubectl('explain', 'unit.spec.placement.conflicts'), /never to share a machine/)
  assert.match(await kubectl('explain', 'machines', '--recursive'), /machineID\s+<string>/)
  assert.match(await kubectl('explain', 'lease.spec.holderIdentity'), /holderIdentity/)
})

promise('api-resources and api-versions list what there is', async (kubectl) => {
  const rows = await kubectl.rows('api-resources')
  const units = rows.find(({ name }) => name === 'units')
  assert.equal([units?.shortnames, units?.namespaced, units?.kind], ['un', 'false', 'Unit'])
  const names = rows.map(({ name }) => name)
  for (const name of ['machines', 'events', 'namespaces', 'leases']) assert.ok(names.includes(name), name)
  assert.match(await kubectl('api-versions'), /^flotilla\.dev\/v1$/m)
})

promise('describe and get events tell what happened to a unit', async (kubectl) => {
  const told = async () => await kubectl.rows('get', 'events', '--field-selector=involvedObject.name=one.service')
  await until(async () => (await told()).some(({ reason }) => reason === 'Started'), { what: 'the Started event' })
  const text = await kubectl('describe', 'unit', 'one.service')
  assert.match(text, /Normal +Started/)
  assert.match(text, /Type: +Active/)
  assert.match(await kubectl('describe', 'machine', 'box'), /Type: +Ready/)
})

promise('a namespace is made, holds things, and goes with all that is in it', async (kubectl) => {
  const object = (kind: string, name: string, more: object) => JSON.stringify({ kind, metadata: { name }, ...more })
  assert.is(await kubectl('create', 'namespace', 'team'), 'namespace/team created')
  const lease = object('Lease', 'held', { apiVersion: 'coordination.k8s.io/v1', spec: { holderIdentity: 'me' } })
  await kubectl.given(lease, 'create', '-n', 'team', '-f', '-')
  const rows = await kubectl.rows('get', 'leases', '-A')
  assert.ok(rows.some(({ namespace, name, holder }) => `${namespace} ${name} ${holder}` === 'team held me'))
  assert.ok(rows.some(({ namespace, name }) => `${namespace} ${name}` === 'flotilla-machines box'))
  await kubectl('delete', 'namespace', 'team')
  assert.match((await kubectl.ends('get', 'namespace', 'team')).stderr, /\(NotFound\)/)
  assert.is(await kubectl('get', 'leases', '-n', 'team', '-o', 'name'), '')
  assert.match((await kubectl.ends('delete', 'namespace', 'default')).stderr, /\(Forbidden\)/)
})

promise('delete --wait comes back when the object is gone, delete -l takes the labelled ones', async (kubectl) => {
  assert.match(await kubectl('delete', 'unit', 'one.service', '--wait'), /deleted$/)
  assert.is(await kubectl('get', 'units', '-o', 'name'), 'unit.flotilla.dev/two.service')
  await kubectl('delete', 'units', '-l', 'suite=habits')
  assert.is(await kubectl('get', 'units', '-o', 'name'), '')
  assert.match(await kubectl('delete', 'unit', 'one.service', '--ignore-not-found'), /^$/)
})

tell(() => product.kubeconfig)
test.run()
