/**
 * etcd beside us: the one on PATH, else the distribution's own package, fetched once and unpacked (never installed)
 * under node_modules/.cache. It is asked through its HTTP doors, which cost it less than its own Go client would cost us.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { runProcess, startProcess } from '../../support/process.ts'
import { commandPath } from '../../support/requirements.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { hostOf } from '../flotilla/units.ts'
import type { Target } from '../load/connection.ts'
import { NUMBER, requestText } from '../load/template.ts'

const PACKAGE = 'etcd-server'
const CACHE = join(import.meta.dirname, '../../../node_modules/.cache')
const UNPACKED = join(CACHE, 'etcd-3.4')
const FETCH_TIMEOUT_MS = 120_000

export interface Etcd extends AsyncDisposable {
  readonly pid: number
  readonly target: Target
}

/** One member on a new folder, with its v2 API on. Rejects when no etcd can be had, saying how to come by it. */
export async function startEtcd(): Promise<Etcd> {
  const dataDir = tempDir()
  const [client, peer] = [await freePort(), await freePort()]
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  const running = await startProcess([
    ...[await etcdPath(), '--data-dir', dataDir, '--enable-v2', '--log-level', 'error'],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
    ...[
      '--listen-peer-urls',
      peerUrl,
      '--initial-advertise-peer-urls',
      peerUrl,
      '--initial-cluster',
      `default=${peerUrl}`,
    ],
  ])
  const healthy = async () => (await fetch(`${clientUrl}/health`)).ok
  await until(healthy, { timeoutMs: 15_000, what: 'etcd healthy' })
  return {
    pid: running.pid,
    target: { host: '127.0.0.1', port: client },
    [Symbol.asyncDispose]: async () => void (await running.stop()),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function etcdPath(): Promise<string> {
  const cached = join(UNPACKED, 'usr/bin/etcd')
  const installed = commandPath('etcd')
  if (installed !== undefined) return installed
  if (!existsSync(cached)) await fetchPackage()
  return cached
}

/** Unpacks beside and renames, so that two benchmarks begun at once never see half a package. */
async function fetchPackage(): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'etcd-'))
  try {
    await must(['apt-get', 'download', PACKAGE], folder)
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'))
    if (archive === undefined) throw new Error('apt-get left no package')
    await must(['dpkg', '-x', archive, 'tree'], folder)
    await rename(join(folder, 'tree'), UNPACKED)
  } catch (cause) {
    if (!existsSync(UNPACKED))
      throw new Error(`no etcd: install it, or let "apt-get download ${PACKAGE}" work`, { cause })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function must(command: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await runProcess(command, { cwd, timeoutMs: FETCH_TIMEOUT_MS })
  if (code !== 0) throw new Error(`${command.join(' ')} exited with ${code}: ${stderr}`)
}

/** v3 through the JSON gateway: one put, as kube-apiserver's create ends in one transaction. */
export function putV3(target: Target, valueBytes: number): string {
  // Base64 of 8 digits does not begin at a digit's boundary, so the number goes into the key as the text of base64.
  const key = `YmVuY2gv${NUMBER}`
  const body = JSON.stringify({ key, value: Buffer.alloc(valueBytes, 'x').toString('base64') })
  return requestText({ method: 'POST', path: '/v3/kv/put', host: hostOf(target), body })
}

export function putV2(target: Target, valueBytes: number): string {
  const type = 'application/x-www-form-urlencoded'
  const body = `value=${'x'.repeat(valueBytes)}`
  return requestText({ method: 'PUT', path: `/v2/keys/bench/${NUMBER}`, host: hostOf(target), type, body })
}

/** One of the keys that `putV2` has written. */
export function getV2(target: Target): string {
  return requestText({ method: 'GET', path: `/v2/keys/bench/${NUMBER}`, host: hostOf(target) })
}

/** One of the keys that `putV3` has written. */
export function getV3(target: Target): string {
  const body = JSON.stringify({ key: `YmVuY2gv${NUMBER}` })
  return requestText({ method: 'POST', path: '/v3/kv/range', host: hostOf(target), body })
}

/** All that the puts above have written, in one answer; or the first `limit` of it. */
export function rangeV3(target: Target, limit = 0): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const body = JSON.stringify({ key: base64('bench/'), range_end: base64('bench0'), limit })
  return requestText({ method: 'POST', path: '/v3/kv/range', host: hostOf(target), body })
}
