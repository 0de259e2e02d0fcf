/** The real etcdctl, speaking v2, through each of its verbs. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type OwnDoor, startDoor } from '../support/etcd-v2/pair.ts'
import { runProcess, startProcess } from '../support/process.ts'
import { commandPath, suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suiteOf('etcdctl (API 2) on the etcd v2 door', { needs: ['etcd'] })

const ENVIRONMENT = { ETCDCTL_API: '2', ETCDCTL_ENDPOINTS: undefined, ETCD_WATCH_VALUE: undefined }
let door: OwnDoor

test.before(async () => {
  door = await startDoor()
})
test.after(async () => door[Symbol.asyncDispose]())

const command = (line: string) => [commandPath('etcdctl') ?? 'etcdctl', '--endpoints', door.url, ...line.split(' ')]

/** Each line: a command, what it prints (or its error), and its exit code where it is not 0. */
const SESSION: readonly (readonly [line: string, prints: RegExp, code?: number])[] = [
  ['set /app/name web', /^web\n$/],
  ['get /app/name', /^web\n$/],
  ['-o extended get /app/name', /^Key: \/app\/name\nCreated-Index: 4\nModified-Index: 4\nTTL: 0\nIndex: 4\n\nweb\n$/],
  ['get --quorum --sort /app/name', /^web\n$/],
  ['get /app', /\/app: is a directory/, 1],
  ['get /none', /Error: {2}100: Key not found \(\/none\) \[4\]/, 4],
  ['set /app/name db --swap-with-value web', /^db\n$/],
  ['set /app/name db --swap-with-value web', /Error: {2}101: Compare failed \(\[web != db\]\) \[5\]/, 4],
  ['set /app/name cache --swap-with-index 5', /^cache\n$/],
  ['set --ttl 100 /app/short x', /^x\n$/],
  ['mk /app/new 1', /^1\n$/],
  ['mk /app/new 2', /Error: {2}105: Key already exists \(\/app\/new\)/, 4],
  ['mk --in-order /queue job', /^job\n$/],
  ['update /app/new 3', /^3\n$/],
  ['update /app/never 3', /Error: {2}100/, 4],
  ['mkdir /folder', /^$/],
  ['mkdir /folder', /Error: {2}105/, 4],
  ['setdir /other', /^$/],
  ['setdir /other', /Error: {2}102/, 4],
  ['updatedir --ttl 100 /other', /^$/],
  ['ls', /^\/app\n\/queue\n\/folder\n\/other\n$/],
  ['ls --sort', /^\/app\n\/folder\n\/other\n\/queue\n$/],
  ['ls --sort -p -r /app', /^\/app\/name\n\/app\/new\n\/app\/short\n$/],
  ['ls -p', /^\/app\/\n\/queue\/\n\/folder\/\n\/other\/\n$/],
  ['rm /app/new', /^PrevNode.Value: 3\n$/],
  ['rm /app', /Error: {2}102/, 4],
  ['rm --dir /app', /Error: {2}108/, 4],
  ['rm --with-value wrong /app/name', /Error: {2}101/, 4],
  ['rm --with-value cache /app/name', /^\n$/],
  ['rmdir /folder', /^$/],
  ['rmdir /app', /Error: {2}108/, 4],
  ['rm --recursive /app', /^$/],
  [
    'cluster-health',
    /member [0-9a-f]+ is healthy: got healthy result from http:\/\/127\.0\.0\.1:\d+\ncluster is healthy\n/,
  ],
  ['member list', /^[0-9a-f]+: name=\S+ peerURLs=http:\S+ clientURLs=http:\/\/127\.0\.0\.1:\d+ isLeader=true\n$/],
]

test('a session through its verbs', async () => {
  for (const [line, prints, expected = 0] of SESSION) {
    const { code, stdout, stderr } = await runProcess(command(line), { env: ENVIRONMENT })
    assert.match(stdout + stderr, prints, `${line}: ${stdout}${stderr}`)
    assert.is(code, expected, line)
  }
})

async function set(key: string, value: string): Promise<void> {
  const answer = await fetch(`${door.url}/v2/keys${key}`, { method: 'PUT', body: new URLSearchParams({ value }) })
  assert.ok(answer.ok)
}

test('watch tells one change, and with -f one after another', async () => {
  await set('/watched', 'before')
  await using one = await startProcess(command('watch --after-index 1 /watched'), { env: ENVIRONMENT })
  await one.waitForLine(/^before$/)
  await using all = await startProcess(command('watch -f -r --after-index 1 /watched'), { env: ENVIRONMENT })
  await all.waitForLine(/before/)
  for (const value of ['one', 'two']) {
    await set('/watched', value)
    await all.waitForLine(new RegExp(value))
  }
})

test('exec-watch runs a command for each change, which learns of it from its environment', async () => {
  await set('/run', 'first')
  // Into a file: exec-watch loses what a command prints shortly before its end.
  const file = join(tempDir(), 'told')
  const script = `echo "$ETCD_WATCH_ACTION $ETCD_WATCH_KEY $ETCD_WATCH_VALUE $ETCD_WATCH_MODIFIED_INDEX" >> ${file}`
  // This etcdctl takes the key last, whatever its help says.
  const line = [...command('exec-watch --after-index 1 sh -c'), script, '/run']
  await using _running = await startProcess(line, { env: ENVIRONMENT })
  const told = (pattern: RegExp) => () => existsSync(file) && pattern.test(readFileSync(file, 'utf8'))
  await until(told(/^set \/run "?first"? \d+\n/), { what: 'the command run for the first change' })
  await set('/run', 'second')
  await until(told(/set \/run "?second"? \d+\n$/), { what: 'the command run for the second change' })
})

test.run()
