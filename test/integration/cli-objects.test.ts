// deadline: 60 s
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startApiServer } from '../../api-server/main.ts'
import { Unit } from '../../crds/unit.ts'
import { parseManifests } from '../../crds/yaml.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startFleet, type TestFleet } from './cli/fleet.ts'
import { manifest } from './cli/manifest.ts'
import { type Run, type RunOptions, runCommand, startCommand } from './cli/run.ts'

const test = suite('the command, with a server')
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
  assert.is(await complete('journal', ''), 'web.service\nmachine/\n')
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
