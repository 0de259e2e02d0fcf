// deadline: 60 s
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { parseManifests } from '../../crds/yaml.ts'
import { kubectls } from '../support/kubectl.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startFleet, type TestFleet } from './cli/fleet.ts'
import { manifest } from './cli/manifest.ts'
import { type Run, type RunOptions, runCommand } from './cli/run.ts'

const test = suite('flotilla apply')
let fleet: TestFleet

const flotilla = (args: string, options: RunOptions = {}): Promise<Run> =>
  runCommand(args.split(' '), { kubeconfig: fleet.kubeconfig, ...options })

test.before(async () => {
  fleet = await startFleet()
})
test.after(() => fleet.close())
test.after.each(async () => {
  await flotilla('delete units --all')
})

test('apply creates, then finds unchanged, then configures', async () => {
  const first = await flotilla('apply -f -', { stdin: manifest('web.service') })
  assert.equal(first, { code: 0, stdout: 'unit.flotilla.dev/web.service created\n', stderr: '' })
  const again = await flotilla('apply -f -', { stdin: manifest('web.service') })
  assert.is(again.stdout, 'unit.flotilla.dev/web.service unchanged\n')
  const changed = await flotilla('apply -f -', { stdin: manifest('web.service', { app: 'shop' }) })
  assert.is(changed.stdout, 'unit.flotilla.dev/web.service configured\n')
  assert.is((await fleet.client.get(Unit, 'web.service')).metadata.labels?.app, 'shop')
})

test('apply keeps what others have set and removes what it had set itself', async () => {
  await flotilla('apply -f -', { stdin: manifest('web.service') })
  const body = { metadata: { labels: { theirs: 'stays' } }, spec: { machineName: 'm1' } }
  await fleet.client.patch(Unit, 'web.service', { type: 'merge', body })
  await flotilla('apply -f -', { stdin: manifest('web.service').replace('"2": two, ', '') })
  const { metadata, spec } = await fleet.client.get(Unit, 'web.service')
  assert.equal(metadata.labels, { app: 'web', 10: 'ten', theirs: 'stays' })
  assert.is(spec.machineName, 'm1')
})

test('a dry run tells what would be and keeps nothing', async () => {
  const { stdout } = await flotilla('apply --dry-run -f -', { stdin: manifest('web.service') })
  assert.is(stdout, 'unit.flotilla.dev/web.service created (server dry run)\n')
  assert.is((await flotilla('get units')).stderr, 'No resources found\n')
})

test('one bad object does not keep the others from being applied', async () => {
  const bad = manifest('bad.service').replace('content:', 'contents:')
  const stdin = [
    manifest('a.service'),
    bad,
    manifest('b.service'),
    'kind: Unit\n',
    'apiVersion: x/v1\nkind: Gadget\nmetadata: {name: thing}\n',
  ]
  const { code, stdout, stderr } = await flotilla('apply -f -', { stdin: stdin.join('---\n') })
  assert.is(code, 1)
  assert.is(stdout, 'unit.flotilla.dev/a.service created\nunit.flotilla.dev/b.service created\n')
  assert.match(stderr, /spec\.content/)
  assert.match(stderr, /standard input: apiVersion is missing/)
  assert.match(stderr, /the server has no kind "Gadget" in version "x\/v1"/)
})

test('apply reads folders, with -R the folders in them, in JSON and YAML, and says where it finds nothing', async () => {
  const folder = tempDir()
  mkdirSync(join(folder, 'inner'))
  writeFileSync(join(folder, 'a.yaml'), manifest('a.service'))
  writeFileSync(join(folder, 'notes.txt'), 'not: [a manifest')
  writeFileSync(join(folder, 'inner/b.json'), JSON.stringify(parseManifests(manifest('b.service'))[0]))
  assert.is((await flotilla(`apply -f ${folder}`)).stdout, 'unit.flotilla.dev/a.service created\n')
  assert.match(
    (await flotilla(`apply -R -f ${folder}`)).stdout,
    /a\.service unchanged\nunit\.flotilla\.dev\/b\.service created\n/,
  )
  const none = await flotilla(`apply -f ${join(folder, 'missing.yaml')}`)
  assert.is(none.code, 1)
  assert.match(none.stderr, /ENOENT/)
})

test('a namespace and what is in it are applied in one go, hundreds of units in order', async () => {
  const names = Array.from({ length: 200 }, (_, at) => `u${String(at).padStart(3, '0')}.service`)
  const stdin = [
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: extra}\n',
    LEASE,
    ...names.map((name) => manifest(name)),
  ]
  const { code, stdout } = await flotilla('apply -f -', { stdin: stdin.join('---\n') })
  assert.is(code, 0)
  const lines = stdout.split('\n').slice(0, -1)
  assert.is(lines[1], 'lease.coordination.k8s.io/one created')
  assert.equal(
    lines.slice(2),
    names.map((name) => `unit.flotilla.dev/${name} created`),
  )
  assert.match((await flotilla('get leases -A')).stdout, /^NAMESPACE +NAME.*\n(.*\n)*extra +one/m)
  assert.is((await flotilla('delete namespace extra')).code, 0)
})

const LEASE =
  'apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: one, namespace: extra}\nspec: {holderIdentity: me}\n'

test('what get prints can be applied again', async () => {
  await flotilla('apply -f -', { stdin: `${manifest('a.service')}---\n${manifest('b.service')}` })
  const { stdout } = await flotilla('get units -o yaml')
  assert.is((await flotilla('apply -f -', { stdin: stdout })).code, 0)
})

test.run()

const mixed = suiteOf('the command beside kubectl', { needs: ['kubectl'] })

mixed('either tool finds unchanged what the other has applied', async () => {
  const { kubeconfig, close } = await startFleet()
  for (const [at, kubectl] of (await kubectls()).entries()) {
    const [ours, theirs] = [manifest(`ours-${at}.service`), manifest(`theirs-${at}.service`)]
    await runCommand(['apply', '-f', '-'], { kubeconfig, stdin: ours })
    const kept = await kubectl.run(['apply', '-f', '-'], { kubeconfig, input: ours })
    assert.is(kept.stdout, `unit.flotilla.dev/ours-${at}.service unchanged\n`, kept.stderr)
    await kubectl.run(['apply', '-f', '-'], { kubeconfig, input: theirs })
    const again = await runCommand(['apply', '-f', '-'], { kubeconfig, stdin: theirs })
    assert.is(again.stdout, `unit.flotilla.dev/theirs-${at}.service unchanged\n`, again.stderr)
  }
  await close()
})

mixed.run()
