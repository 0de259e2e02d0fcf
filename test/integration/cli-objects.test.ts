// deadline: 60 s
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startApiServer } from '../../api-server/main.ts'
import { Unit } from '../../crds/unit.ts'
import { parseManifests } from '../../crds/yaml.ts'
import { kubectls } from '../support/kubectl.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startFleet, type TestFleet } from './cli/fleet.ts'
import { type Run, type RunOptions, runCommand, startCommand } from './cli/run.ts'

const test = suite('the command, with a server')
let fleet: TestFleet

const flotilla = (args: string, options: RunOptions = {}): Promise<Run> =>
  runCommand(args.split(' '), { kubeconfig: fleet.kubeconfig, ...options })

/** Awkward on purpose: characters that Go escapes, keys that look like numbers, a value that YAML 1.1 reads as a number. */
function manifest(name: string, { app = 'web', script = 'true' } = {}): string {
  return `apiVersion: flotilla.dev/v1
kind: Unit
metadata:
  name: ${name}
  labels: {app: ${app}, "2": two, "10": ten}
  annotations: {note: "<b> & 'ü' \\u2028"}
spec:
  content: |
    [Service]
    ExecStart=/bin/sh -c "${script} && echo <done>"
`
}

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

test('kinds are found by plural, singular, short name and qualified, in any case', async () => {
  await flotilla('apply -f -', { stdin: manifest('web.service') })
  for (const kind of ['units', 'unit', 'un', 'Units', 'UNIT', 'units.flotilla.dev', 'unit.v1.flotilla.dev'])
    assert.is((await flotilla(`get ${kind} -o name`)).stdout, 'unit.flotilla.dev/web.service\n', kind)
  assert.match((await flotilla('get gadgets')).stderr, /^error: the server has no kind "gadgets"; it has .*units/)
})

test('get shows tables, wide ones, names and whole objects', async () => {
  await flotilla('apply -f -', { stdin: `${manifest('a.service')}---\n${manifest('b.service', { app: 'db' })}` })
  assert.match(
    (await flotilla('get units')).stdout,
    /^NAME +DESIRED +MACHINE .*AGE\na\.service +launched .*\nb\.service .*\n$/,
  )
  assert.match((await flotilla('get units -o wide')).stdout, /^NAME .*SCHEDULED +PID +HASH +AGE\n/)
  assert.match((await flotilla('get units -l app=db --no-headers')).stdout, /^b\.service .*\n$/)
  assert.match(
    (await flotilla('get un --field-selector metadata.name=a.service -o name')).stdout,
    /^unit.flotilla.dev\/a.service\n$/,
  )
  const both = JSON.parse((await flotilla('get units -o json')).stdout)
  assert.equal([both.kind, both.items.length], ['List', 2])
  const one = parseManifests((await flotilla('get unit/a.service -o yaml')).stdout)[0] as Unit
  assert.is(one.metadata.name, 'a.service')
  assert.is(one.metadata.managedFields, undefined)
})

test('what get prints can be applied again', async () => {
  await flotilla('apply -f -', { stdin: `${manifest('a.service')}---\n${manifest('b.service')}` })
  const { stdout } = await flotilla('get units -o yaml')
  assert.is((await flotilla('apply -f -', { stdin: stdout })).code, 0)
})

test('get shows what is there beside what is not, and fails', async () => {
  await flotilla('apply -f -', { stdin: manifest('a.service') })
  const { code, stdout, stderr } = await flotilla('get unit a.service z.service')
  assert.is(code, 1)
  assert.match(stdout, /^NAME .*\na\.service .*\n$/)
  assert.is(stderr, 'Error from server (NotFound): units.flotilla.dev "z.service" not found\n')
  assert.match((await flotilla('get unit/a.service namespace/default')).stdout, /^unit\.flotilla\.dev\/a\.service/m)
})

test('delete removes by name, file and label, waits, and knows what is not there', async () => {
  const all = ['a', 'b', 'c', 'd'].map((name) => manifest(`${name}.service`, { app: name }))
  await flotilla('apply -f -', { stdin: all.join('---\n') })
  assert.is((await flotilla('delete unit a.service')).stdout, 'unit.flotilla.dev "a.service" deleted\n')
  assert.is((await flotilla('delete unit/b.service --wait=false')).code, 0)
  assert.is((await flotilla('delete -f -', { stdin: all[2] ?? '' })).code, 0)
  assert.is((await flotilla('delete units -l app=d')).code, 0)
  assert.is((await flotilla('get units')).stderr, 'No resources found\n')
  assert.is((await flotilla('delete unit a.service')).code, 1)
  assert.is((await flotilla('delete unit a.service --ignore-not-found')).code, 0)
  assert.match((await flotilla('delete units')).stderr, /^error: name what to delete/)
})

test('delete says what holds an object that does not go', async () => {
  const held = manifest('held.service').replace('metadata:', 'metadata:\n  finalizers: [example.org/hold]')
  await flotilla('apply -f -', { stdin: held })
  const { code, stderr } = await flotilla('delete unit held.service --timeout 100ms')
  assert.is(code, 1)
  assert.match(stderr, /still there; it is held by example\.org\/hold\n$/)
  await fleet.client.patch(Unit, 'held.service', { type: 'merge', body: { metadata: { finalizers: null } } })
})

test('watch prints a line a change, with what happened where that is asked for', async () => {
  const rows = startCommand(['watch', 'units'], { kubeconfig: fleet.kubeconfig })
  const events = startCommand(['get', 'units', '-w', '--output-watch-events', '--no-headers'], {
    kubeconfig: fleet.kubeconfig,
  })
  await flotilla('apply -f -', { stdin: manifest('web.service') })
  await rows.see(/web\.service/)
  await fleet.client.patch(Unit, 'web.service', { type: 'merge', body: { spec: { desiredState: 'inactive' } } })
  await rows.see(/web\.service +inactive/)
  await flotilla('delete unit web.service')
  await events.see(/ADDED +web\.service +launched.*\nMODIFIED +web\.service +inactive.*\nDELETED +web\.service/)
  for (const each of [rows, events]) {
    const { code, stderr } = await each.interrupt()
    assert.equal([code, stderr], [0, ''])
  }
})

test('a watch of one object shows that one alone, and refuses one that is not there', async () => {
  await flotilla('apply -f -', { stdin: `${manifest('a.service')}---\n${manifest('b.service')}` })
  const watch = startCommand(['watch', 'unit', 'a.service', '-o', 'name'], { kubeconfig: fleet.kubeconfig })
  await watch.see(/a\.service/)
  await fleet.client.patch(Unit, 'b.service', { type: 'merge', body: { metadata: { labels: { x: 'y' } } } })
  await fleet.client.patch(Unit, 'a.service', { type: 'merge', body: { metadata: { labels: { x: 'y' } } } })
  await watch.see(/a\.service\n.*a\.service/)
  assert.not.match((await watch.interrupt()).stdout, /b\.service/)
  assert.is((await flotilla('watch unit z.service')).code, 1)
})

test('completion offers kinds and names, and nothing where nothing can be known', async () => {
  await flotilla('apply -f -', { stdin: manifest('web.service') })
  const complete = async (...words: string[]): Promise<string> =>
    (await runCommand(['__complete', '--', ...words], { kubeconfig: fleet.kubeconfig })).stdout
  assert.is(await complete('get', 'un'), 'units\n')
  assert.is(await complete('delete', '-l', 'x=y', 'unit', 'w'), 'web.service\n')
  assert.is(await complete('get', 'unit/'), 'unit/web.service\n')
  assert.is(await complete('why', 'unit/w'), 'unit/web.service\n')
  assert.is(await complete('journal', ''), 'web.service\n')
  assert.is(await complete('get', 'gadget', ''), '')
  const away = await runCommand(['__complete', '--', 'get', ''], { kubeconfig: '/nowhere' })
  assert.equal(away, { code: 0, stdout: '', stderr: '' })
})

test('who finds no kubeconfig or no server is told the next step', async () => {
  const empty = tempDir()
  const none = await runCommand(['get', 'units', '--data-dir', empty], {})
  assert.is(none.code, 1)
  assert.is(
    none.stderr,
    `error: there is no kubeconfig at ${empty}/kubeconfig: start a fleet with "flotilla up", or name one with --kubeconfig FILE\n`,
  )
  const path = join(empty, 'kubeconfig')
  writeFileSync(
    path,
    'clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n',
  )
  const away = await runCommand(['get', 'units', '--kubeconfig', path], {})
  assert.is(away.code, 1)
  assert.is(
    away.stderr,
    'The API server at https://127.0.0.1:1 does not answer: nobody listens there. Is "flotilla up" running?\n',
  )
})

test('a watch goes on over a restart of the server, without a change lost', async () => {
  const log = pino({ level: 'silent' })
  const dataDir = tempDir()
  const before = await startApiServer({ dataDir, listen: '127.0.0.1:0', log })
  const options = { kubeconfig: before.kubeconfigPath }
  const watch = startCommand(['watch', 'units'], options)
  await runCommand(['apply', '-f', '-'], { ...options, stdin: manifest('first.service') })
  await watch.see(/first\.service/)
  await before.close()
  await watch.see(/the server is away/)
  const after = await startApiServer({ dataDir, listen: new URL(before.url).host, log })
  await runCommand(['apply', '-f', '-'], { ...options, stdin: manifest('second.service') })
  await watch.see(/second\.service/, { timeoutMs: 10_000 })
  const { code, stdout } = await watch.interrupt()
  assert.is(code, 0)
  assert.is(stdout.match(/first\.service/g)?.length, 1)
  await after.close()
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
