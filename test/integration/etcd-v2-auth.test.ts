/** Users and roles: the door and the real etcd are told the same, in lockstep. */
import * as assert from 'uvu/assert'
import { difference } from '../support/etcd-v2/difference.ts'
import { type Pair, PairConnection, startPair } from '../support/etcd-v2/pair.ts'
import type { RawRequest } from '../support/etcd-v2/raw-client.ts'
import { runProcess } from '../support/process.ts'
import { commandPath, suiteOf } from '../support/requirements.ts'
import { AUTH_CASES } from './etcd-v2-auth-cases.ts'

const test = suiteOf('users and roles of the etcd v2 door', { needs: ['etcd'] })
let pair: Pair
let connection: PairConnection

test.before(async () => {
  pair = await startPair()
  connection = await PairConnection.open(pair)
})
test.after(async () => {
  connection.close()
  await pair[Symbol.asyncDispose]()
})

/** `METHOD /target body`, with `user:password@` before the target where somebody asks. */
function requestOf(line: string): RawRequest {
  const [, method = '', who, target = '', body] = /^(\S+) (?:(\S*:\S*)@)?(\/\S*)(?: (.*))?$/s.exec(line) ?? []
  const form = target.startsWith('/v2/keys') ? ['application/x-www-form-urlencoded'] : ['application/json']
  const headers: [string, string][] = body === undefined ? [] : [['Content-Type', form[0] ?? '']]
  if (who !== undefined) headers.push(['Authorization', `Basic ${Buffer.from(who).toString('base64')}`])
  const bytes = body === undefined ? {} : { body: Buffer.from(body, 'utf8').toString('latin1') }
  return { method, target, headers, ...bytes }
}

for (const { promise, requests } of AUTH_CASES)
  test(promise, async () => {
    for (const line of requests)
      assert.is(difference(await connection.ask(requestOf(line))), undefined, `${line}: as etcd answers`)
  })

const SESSION: readonly string[] = [
  'user list',
  'user add root:r00t',
  'user add carol:secret',
  'role add readers',
  'role grant readers --path /public/* --read',
  'role grant readers --path /own --readwrite',
  'role grant readers --path /own --readwrite',
  'user grant carol --roles readers',
  'user grant carol --roles readers',
  'role get readers',
  'user get carol',
  'role list',
  'auth enable',
  'user list',
  '-u root:r00t user list',
  '-u root:r00t role revoke guest --path /* --readwrite',
  'set /own mine',
  '-u carol:secret set /own mine',
  '-u carol:wrong set /own mine',
  '-u carol:secret set /public/a x',
  '-u root:r00t set /public/a x',
  '-u carol:secret get /public/a',
  '-u carol:secret ls --recursive /public',
  '-u carol:secret ls /',
  '-u root:r00t role revoke readers --path /own --readwrite',
  '-u carol:secret get /own',
  '-u root:r00t user revoke carol --roles readers',
  '-u root:r00t user remove carol',
  '-u root:r00t role remove readers',
  '-u root:r00t role remove readers',
  'auth disable',
  '-u root:r00t auth disable',
  '-u root:r00t user remove root',
]

test('etcdctl says the same of both, through each of its verbs for users and roles', async () => {
  const etcdctl = commandPath('etcdctl') ?? 'etcdctl'
  const say = async (url: string, line: string) => {
    const argv = [etcdctl, '--endpoints', url, ...line.split(' ')]
    const { code, stdout, stderr } = await runProcess(argv, { env: { ETCDCTL_API: '2' } })
    return `${code}\n${stdout}${stderr}`
  }
  for (const line of SESSION) {
    const [ours, theirs] = await Promise.all([say(pair.ours, line), say(pair.theirs, line)])
    assert.is(ours, theirs, line)
  }
})

test.run()
