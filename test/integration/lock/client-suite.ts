/**
 * What `flotilla lock` and `flotilla elect` promise in the company of other clients, before any server of etcd's v2 API.
 * One list of promises, longer than a function is otherwise: each is a few lines.
 */
import * as assert from 'uvu/assert'
import { suiteOf } from '../../support/requirements.ts'
import { until } from '../../support/until.ts'
import { etcdctl, startLock } from './contender.ts'

export interface V2Server extends AsyncDisposable {
  readonly url: string
}

let server: V2Server

const lock = (...args: string[]) => startLock(['lock', '--endpoints', server.url, ...args])
const elect = (...args: string[]) => startLock(['elect', '--endpoints', server.url, ...args])
const exists = async (key: string) => (await etcdctl(server.url, 'get', key)).code === 0
/** Runs until it is told to end. */
const FOREVER = 'echo begun; while :; do sleep 0.05; done'

const PROMISES: Readonly<Record<string, () => Promise<void>>> = {
  'etcdctl takes the lock like anybody, and is told from others by its value': async () => {
    await etcdctl(server.url, 'mk', '/backup', 'an-operator')
    const hasty = await lock('backup', '--wait', '200ms', '--', 'true')
    assert.is((await hasty.exited).code, 75)
    assert.match(hasty.lines.join('\n'), /\/backup was not obtained within 0\.2 s: held by "an-operator" without a TTL/)
    const now = await lock('backup', '--wait', '0', '--', 'true')
    assert.is((await now.exited).code, 75)
    const patient = await lock('backup', '--', 'echo', 'my turn')
    await patient.waitForLine(/waiting/)
    await etcdctl(server.url, 'rm', '/backup')
    assert.is((await patient.exited).code, 0)
    assert.ok(patient.lines.includes('my turn'))
  },

  'who waits gets the lock the moment its TTL runs out': async () => {
    await etcdctl(server.url, 'mk', '/expiring', 'somebody', '--ttl', '1')
    const waiting = await lock('expiring', '--', 'true')
    assert.is((await waiting.exited).code, 0)
  },

  'the history is cleared under a waiter, which looks again': async () => {
    await etcdctl(server.url, 'mk', '/busy', 'somebody')
    const waiting = await lock('busy', '--', 'true')
    await waiting.waitForLine(/waiting/)
    const write = (i: number) => fetch(`${server.url}/v2/keys/noise/${i % 7}?value=${i}`, { method: 'PUT' })
    for (let done = 0; done < 1_050; done += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => write(i)))
    await etcdctl(server.url, 'rm', '/busy')
    assert.is((await waiting.exited).code, 0)
  },

  'the command knows its key and its fencing token, others see the holder, and its exit code is ours': async () => {
    const script = 'echo "$FLOTILLA_LOCK_KEY $FLOTILLA_LOCK_INDEX"; read -r _; exit 7'
    const holder = await lock('a/b c', '--', 'sh', '-c', script)
    const [, token] = await holder.waitForLine(/^\/a\/b c (\d+)$/)
    assert.is((await holder.exited).code, 7)
    assert.ok(Number(token) > 0)
    assert.not(await exists('/a/b c'), 'released at the end')
  },

  'a signal goes to the command, and the lock is released behind it': async () => {
    const holder = await lock('signalled', '--', 'sh', '-c', `trap 'exit 5' TERM; ${FOREVER}`)
    await holder.waitForLine(/begun/)
    assert.ok(await exists('/signalled'))
    assert.is((await holder.stop('SIGTERM')).code, 5)
    assert.not(await exists('/signalled'))
    const waiter = await lock('signalled', '--', 'sh', '-c', FOREVER)
    await waiter.waitForLine(/begun/)
    assert.is((await waiter.stop('SIGINT')).code, 130)
  },

  'Ctrl-Z stops no renewing, since it would not stop the command': async () => {
    const holder = await lock('stopped', '--ttl', '2s', '--', 'sh', '-c', FOREVER)
    await holder.waitForLine(/begun/)
    process.kill(holder.pid, 'SIGTSTP')
    const versions = new Set<string>()
    const renewed = async () => {
      const answer = await fetch(`${server.url}/v2/keys/stopped`)
      versions.add(/"modifiedIndex":\d+/.exec(await answer.text())?.[0] ?? 'gone')
      return versions.size === 3
    }
    await until(renewed, { what: 'two renewals' })
    assert.not(versions.has('gone'))
    await holder.stop('SIGTERM')
  },

  'a waiter that is told to end leaves nothing behind': async () => {
    await etcdctl(server.url, 'mk', '/left', 'somebody')
    const waiter = await lock('left', '--', 'true')
    await waiter.waitForLine(/waiting/)
    assert.is((await waiter.stop('SIGTERM')).code, 143)
    assert.ok(await exists('/left'), "another's key is not touched")
  },

  'what cannot be run, and what is no lock, is said in a sentence': async () => {
    const missing = await lock('m', '--', 'no-such-command')
    assert.is((await missing.exited).code, 127)
    assert.not(await exists('/m'))
    await etcdctl(server.url, 'mkdir', '/folder')
    const folder = await lock('folder', '--', 'true')
    assert.is((await folder.exited).code, 1)
    assert.match(folder.lines.join('\n'), /\/folder is a directory/)
  },

  'a leader that is deposed ends its command and is a candidate again': async () => {
    const leader = await elect('leader', '--ttl', '3s', '--value', '10.0.0.5:80', '--', 'sh', '-c', FOREVER)
    await leader.waitForLine(/begun/)
    assert.match((await etcdctl(server.url, 'get', '/leader')).stdout, /^10\.0\.0\.5:80$/m)
    await etcdctl(server.url, 'set', '/leader', 'usurper')
    await leader.waitForLine(/taken by another/)
    await leader.waitForLine(/held by "usurper"/)
    await etcdctl(server.url, 'rm', '/leader')
    const begun = () => leader.lines.filter((line) => line === 'begun').length === 2
    await until(begun, { what: 'a second term' })
    await leader.stop('SIGTERM')
  },

  'with --once a deposed leader ends': async () => {
    const leader = await elect('once', '--ttl', '2s', '--once', '--', 'sh', '-c', FOREVER)
    await leader.waitForLine(/begun/)
    await etcdctl(server.url, 'rm', '/once')
    assert.is((await leader.exited).code, 74)
  },

  'a key that another made with the same value is not taken for ours': async () => {
    const leader = await elect('same', '--ttl', '2s', '--once', '--value', 'twin', '--', 'sh', '-c', FOREVER)
    await leader.waitForLine(/begun/)
    await etcdctl(server.url, 'rm', '/same')
    await etcdctl(server.url, 'mk', '/same', 'twin')
    assert.is((await leader.exited).code, 74)
    assert.ok(await exists('/same'), "the twin's key stays")
  },
}

/** A suite of its own for a server that `start` gives; run it. */
export function lockSuite(name: string, start: () => Promise<V2Server>) {
  const test = suiteOf(`locks and elections with other clients: ${name}`, { needs: ['etcd'] })
  test.before(async () => {
    server = await start()
  })
  test.after(async () => server[Symbol.asyncDispose]())
  for (const [promise, keep] of Object.entries(PROMISES)) test(promise, keep)
  return test
}
