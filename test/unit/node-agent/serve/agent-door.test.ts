/** The agent's door, from outside. Longer than 250 lines: one suite on one door and its certificates. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import type { KeyPair } from '../../../../api-server/auth/key-pair.ts'
import { openPki } from '../../../../api-server/auth/pki.ts'
import type { ActionNews } from '../../../../node-agent/serve/action.ts'
import { CHANNEL, EXEC_PROTOCOL, frame, unframe } from '../../../../node-agent/serve/channels.ts'
import { type AgentDoor, serveAgent } from '../../../../node-agent/serve/server.ts'
import { type FakeUnitDriver, openFakeDriver } from '../../../../node-agent/units/fake.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { until } from '../../../support/until.ts'

const test = suite('agent: the door for the API server')

const log = pino({ level: 'silent' })
const stopping = new AbortController()
const dir = tempDir()
let ca = ''
let apiServer: KeyPair
let stranger: KeyPair
let driver: FakeUnitDriver
let door: AgentDoor
const told: ActionNews[] = []

test.before(async () => {
  const pki = await openPki(dir)
  ca = pki.caCertificate
  const own = await pki.issueClient({ commonName: 'machine:m1', dnsNames: ['machine-m1'] })
  apiServer = await pki.issueClient({ commonName: 'flotilla:api-server' })
  stranger = await pki.issueClient({ commonName: 'machine:m2', organizations: ['flotilla:machines'] })
  driver = await openFakeDriver()
  const tls = { cert: own.certificate, key: own.key, ca }
  door = await serveAgent({
    host: '127.0.0.1',
    port: 0,
    tls,
    driver,
    log,
    onAction: (news) => told.push(news),
    signal: stopping.signal,
  })
})
test.after(async () => {
  stopping.abort()
  await door.closed
  await driver.close({ stopUnits: true })
})

function tlsOf(who: KeyPair | undefined) {
  return { ca, servername: 'machine-m1', ...(who ? { cert: who.certificate, key: who.key } : {}) }
}

interface Answer {
  readonly code: number | undefined
  readonly body: string
}

async function get(path: string, who: KeyPair | undefined = apiServer): Promise<Answer> {
  const outgoing = httpsRequest({ ...tlsOf(who), host: '127.0.0.1', port: door.port, path, agent: false }).end()
  const [incoming] = await once(outgoing, 'response')
  let body = ''
  for await (const chunk of incoming) body += String(chunk)
  return { code: incoming.statusCode, body }
}

interface Session {
  readonly socket: WebSocket
  /** Output so far, by channel. */
  readonly output: Map<number, string>
  readonly closed: Promise<unknown>
}

async function exec(query: string): Promise<Session> {
  const url = `wss://127.0.0.1:${door.port}/exec?${query}`
  const socket = new WebSocket(url, EXEC_PROTOCOL, tlsOf(apiServer))
  const output = new Map<number, string>()
  socket.on('message', (data: Buffer) => {
    const { channel, payload } = unframe(data)
    output.set(channel, (output.get(channel) ?? '') + payload.toString())
  })
  await once(socket, 'open')
  return { socket, output, closed: once(socket, 'close') }
}

const shell = (script: string, more = ''): string =>
  `command=sh&command=-c&command=${encodeURIComponent(script)}&stdout=true&stderr=true${more}`

test('only the API server gets in', async () => {
  assert.equal(await get('/healthz'), { code: 200, body: 'ok' })
  const refused = await get('/healthz', stranger)
  assert.is(refused.code, 403)
  assert.is(JSON.parse(refused.body).reason, 'Forbidden')
  const nobody = httpsRequest({
    ...tlsOf(undefined),
    host: '127.0.0.1',
    port: door.port,
    path: '/healthz',
    agent: false,
  }).end()
  const [error] = await once(nobody, 'error')
  assert.match(String(error), /certificate|ECONNRESET|socket/)
})

test('a stranger cannot run a command', async () => {
  const url = `wss://127.0.0.1:${door.port}/exec?command=true`
  const socket = new WebSocket(url, EXEC_PROTOCOL, tlsOf(stranger))
  const [error] = await once(socket, 'error')
  assert.match(String(error), '403')
})

test('what is not served is a Status with the path in it', async () => {
  assert.is((await get('/nothing')).code, 404)
  assert.is((await get('/units/no-such-type/log')).code, 400)
  assert.is((await get('/units/a.service/log?lines=-1')).code, 400)
  assert.is((await get('/units/a.service/log?output=xml')).code, 400)
  assert.is((await get('/units/a.service/log?output=json&sinceUs=yesterday')).code, 400)
  assert.is((await get('/status')).code, 404)
})

test('a log is what the service said, newest lines on request', async () => {
  await driver.install([
    { name: 'a.service', content: "[Service]\nExecStart=/bin/sh -c 'echo one; echo two; sleep infinity'\n" },
  ])
  await driver.start(['a.service'])
  await until(async () => (await get('/units/a.service/log')).body.includes('two'), { what: 'the log' })
  const lines = (await get('/units/a.service/log?output=json&lines=1')).body.trim().split('\n')
  assert.is(lines.length, 1)
  const line = JSON.parse(lines[0] ?? '')
  assert.type(line.__CURSOR, 'string')
  assert.match((await get('/units/a.service/log')).body, /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \S+ sh.*: one$/m)
  const resumed = await get(`/units/a.service/log?output=json&after=${line.__CURSOR}`)
  assert.is(resumed.body, '')
})

test('a followed log goes on until the client leaves', async () => {
  const path = '/units/a.service/log?follow=true&lines=0'
  const outgoing = httpsRequest({ ...tlsOf(apiServer), host: '127.0.0.1', port: door.port, path, agent: false }).end()
  const [incoming] = await once(outgoing, 'response')
  await driver.restart(['a.service'])
  let text = ''
  for await (const chunk of incoming) {
    text += String(chunk)
    if (text.includes('two')) break
  }
  assert.match(text, 'one')
})

test('status reads as systemctl status does', async () => {
  const { body } = await get('/units/a.service/status')
  assert.match(body, /^● a\.service\n/)
  assert.match(body, /Active: active \(running\) since/)
  assert.match(body, /Main PID: \d+/)
})

test('a command gives its output, its errors and its exit code', async () => {
  const { output, closed } = await exec(shell('echo out; echo err >&2; exit 3'))
  await closed
  assert.is(output.get(CHANNEL.stdout), 'out\n')
  assert.is(output.get(CHANNEL.stderr), 'err\n')
  assert.equal(JSON.parse(output.get(CHANNEL.status) ?? '').details.causes, [{ reason: 'ExitCode', message: '3' }])
})

test('success is said, and output nobody asked for is not sent', async () => {
  const { output, closed } = await exec(shell('echo out').replace('stdout=true', 'stdout=false'))
  await closed
  assert.equal([...output], [[CHANNEL.status, '{"metadata":{},"status":"Success"}']])
})

test('a missing program is a sentence, not a crash', async () => {
  const { output, closed } = await exec('command=no-such-program&stdout=true')
  await closed
  assert.match(JSON.parse(output.get(CHANNEL.status) ?? '').message, 'no-such-program')
})

test('input reaches the command, and its end too', async () => {
  const { socket, output, closed } = await exec('command=cat&stdin=true&stdout=true')
  const sent = 'x'.repeat(300_000)
  for (let at = 0; at < sent.length; at += 30_000)
    socket.send(frame(CHANNEL.stdin, Buffer.from(sent.slice(at, at + 30_000))))
  socket.send(Buffer.from([CHANNEL.close, CHANNEL.stdin]))
  await closed
  assert.is(output.get(CHANNEL.stdout), sent)
})

test('a command dies with its client, and everything it started', async () => {
  const file = join(dir, 'pid')
  const { socket } = await exec(shell(`sleep 1000 & echo $! > ${file}; echo $$ >> ${file}; wait`))
  const pids = await until(
    () => {
      const found = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
      return found.length === 2 && found
    },
    { what: 'the command to run' },
  )
  socket.terminate()
  await until(() => pids.every(isGone), { what: 'both processes gone' })
})

function isGone(pid: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' })
  return stdout.trim() === '' || stdout.startsWith('Z')
}

test('a client that does not read slows the command, and costs no memory', async () => {
  const { socket, output } = await exec(
    `command=sh&command=-c&command=${encodeURIComponent('echo $$; exec yes')}&stdout=true`,
  )
  const pid = await until(() => /^(\d+)\n/.exec(output.get(CHANNEL.stdout) ?? '')?.[1], { what: 'first output' })
  socket.pause()
  const before = process.memoryUsage().rss
  const isBlocked = blocked(pid)
  await until(isBlocked, { what: 'the flood to stop', timeoutMs: 10_000 })
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
  socket.terminate()
  await until(() => isGone(pid), { what: 'the end of yes' })
})

/** True once a process has used no processor time for half a second: it waits on its full pipe. */
function blocked(pid: string): () => boolean {
  let ticks = ''
  let sinceMs = 0
  return () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const now = `${fields[11]} ${fields[12]}`
    if (now !== ticks) sinceMs = performance.now()
    ticks = now
    return performance.now() - sinceMs > 500
  }
}

test('a terminal has a name, a size that changes, and the exit code of its command', async () => {
  const { socket, output, closed } = await exec(
    `command=sh&command=-c&command=${encodeURIComponent('tty; stty size; read x; stty size; exit 9')}&tty=true&stdin=true&stdout=true&rows=30&columns=90`,
  )
  const shown = () => output.get(CHANNEL.stdout) ?? ''
  await until(() => /^\/dev\/pts\/\d+\r\n30 90\r\n$/.test(shown()), { what: 'name and size' })
  socket.send(frame(CHANNEL.resize, Buffer.from('{"Width":120,"Height":50}\n')))
  socket.send(frame(CHANNEL.resize, Buffer.from('{"Width":132,"Height":43}\n')))
  await until(() => spawnSync('stty', ['-F', shown().split('\r')[0] ?? '', 'size']).stdout.toString() === '43 132\n', {
    what: 'the new size',
  })
  socket.send(frame(CHANNEL.stdin, Buffer.from('go\r')))
  await closed
  assert.match(shown(), /go\r\n43 132\r\n$/)
  assert.equal(JSON.parse(output.get(CHANNEL.status) ?? '').details.causes, [{ reason: 'ExitCode', message: '9' }])
})

test('Ctrl-C on a terminal interrupts what runs there', async () => {
  const { socket, output, closed } = await exec('command=sleep&command=1000&tty=true&stdin=true&stdout=true')
  socket.send(frame(CHANNEL.stdin, Buffer.from('\u0003')))
  await closed
  assert.match(output.get(CHANNEL.status) ?? '', '130')
})

test('what runs on a terminal dies with its client', async () => {
  const { socket, output } = await exec(
    `${shell('trap "" TERM; echo $$; sleep 1000').replace('&stderr=true', '')}&tty=true`,
  )
  const pid = await until(() => /^(\d+)\r\n/.exec(output.get(CHANNEL.stdout) ?? '')?.[1], {
    what: 'the command to run',
  })
  socket.terminate()
  await until(() => isGone(pid), { what: 'its end' })
})

async function act(query: string, unit = 'a.service') {
  const headers = {
    'flotilla-unit': 'a.service',
    'flotilla-unit-uid': 'u-1',
    'flotilla-user': encodeURIComponent('Zoë'),
  }
  const where = { host: '127.0.0.1', port: door.port, path: `/units/${unit}/action?${query}`, agent: false } as const
  const outgoing = httpsRequest({ ...tlsOf(apiServer), ...where, method: 'POST', headers }).end()
  const [incoming] = await once(outgoing, 'response')
  let body = ''
  for await (const chunk of incoming) body += String(chunk)
  return { code: incoming.statusCode, body: JSON.parse(body) }
}

test('a restart by hand answers with the new process, and is told with its actor', async () => {
  const before = (await driver.observe(['a.service'])).get('a.service')?.mainPID
  const { code, body } = await act('do=restart')
  assert.is(code, 200)
  assert.is(body.before.mainPID, before)
  assert.is(body.after.activeState, 'active')
  assert.is.not(body.after.mainPID, before)
  const { subject, reason, message } = told.at(-1) as ActionNews
  assert.equal(subject, { unitName: 'a.service', name: 'a.service', uid: 'u-1', actor: 'Zoë' })
  assert.is(`${reason}: ${message}`, `RestartedByHand: restarted by hand, by "Zoë"; its process was ${before}`)
})

test('a restart that fails says why', async () => {
  await driver.install([{ name: 'bad.service', content: '[Service]\nExecStart=/no/such/program\n' }])
  const { body } = await act('do=restart', 'bad.service')
  assert.match(body.refused, /no\/such\/program|exec/i)
  assert.is(body.after.activeState, 'failed')
})

test('a signal by hand reaches the process, and one that there is none for is refused', async () => {
  assert.equal((await act('do=kill&signal=USR1&who=main')).body, {})
  assert.match(told.at(-1)?.message ?? '', 'SIGUSR1 sent to its main process by hand, by "Zoë"')
  assert.match((await act('do=kill', 'bad.service')).body.refused, /No main process/)
  assert.is((await act('do=kill&signal=LOUD')).code, 400)
  assert.is((await act('do=kill&who=nobody')).code, 400)
  assert.is((await act('do=dance')).code, 400)
  assert.is((await get('/units/a.service/action')).code, 405)
})

test("a service of the host's own is out of reach", async () => {
  const { code, body } = await act('do=restart', 'ssh.service')
  assert.is(code, 409)
  assert.match(body.message, /not installed on this machine by Flotilla/)
})

test.run()
