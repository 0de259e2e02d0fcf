/** Servers with etcds of their own on loopback, and eight who write through whichever of them answers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { type ApiClient, isApiError } from '../../controllers/lib/client.ts'
import { ConfigMap } from '../../crds/index.ts'
import { type Product, type ProductOptions, startProduct } from './product.ts'

const SERVER = ['server', '--store', 'etcd']
/** Free ports, which each server keeps. */
const PORTS = ['--etcd-listen-client', '127.0.0.1:0', '--etcd-listen-peer', '127.0.0.1:0']

export const startFirst = (args: readonly string[] = [], options: ProductOptions = {}): Promise<Product> =>
  startProduct([...SERVER, '--cluster-init', ...PORTS, ...args], options)

export const joinArguments = (kubeconfig: string): string[] => [...SERVER, '--join', kubeconfig, ...PORTS]

export const joinServer = (kubeconfig: string, options: ProductOptions = {}): Promise<Product> =>
  startProduct(joinArguments(kubeconfig), options)

/** Without a word of what it was: its data directory knows. */
export const startAgain = (dataDir: string, args: readonly string[] = []): Promise<Product> =>
  startProduct([...SERVER, ...args], { dataDir })

export interface MemberNotes {
  readonly name: string
  readonly phase: string
  readonly clientUrl: string
  readonly peerUrl: string
}

export function memberNotes(dataDir: string): MemberNotes {
  return JSON.parse(readFileSync(join(dataDir, 'etcd-member.json'), 'utf8'))
}

/** The process id of the etcd that a server keeps. */
export function etcdPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'etcd.pid'), 'utf8'))
}

/** Whether it is more than an entry that nobody has collected yet. */
export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false // no such process any more
  }
}

export interface Writers {
  readonly acknowledged: number
  /** The longest time without an acknowledged write since the last call. */
  takeLongestGapMs(): number
  stop(): Promise<void>
  /** Throws unless `client` shows all that was acknowledged. */
  check(client: ApiClient): Promise<void>
}

const WRITERS = 8
/** What is measured is how long nothing is written, so the machine need not be full. */
const PAUSE_MS = 15
const IN = { namespace: 'default' }

/** Each counts up an object of its own, guarded by the version it was last told; `targets` may change at any time. */
export function startWriters(targets: readonly (ApiClient | undefined)[]): Writers {
  const acknowledged = new Map<string, number>()
  let count = 0
  let lastMs = performance.now()
  let longestMs = 0
  let going = true
  const note = (name: string, n: number) => {
    acknowledged.set(name, n)
    count++
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
  }
  async function one(at: number): Promise<void> {
    const name = `writer-${at}`
    for (let n = 1, turn = at; going; turn++) {
      const client = targets[turn % targets.length]
      try {
        if (client === undefined) throw new Error('that server is away')
        while (going) {
          await writeOnce(client, name, n)
          note(name, n++)
          await delay(PAUSE_MS)
        }
      } catch {
        // That server is gone, or nobody knows: the next one is asked, which reads before it writes.
        await delay(PAUSE_MS)
      }
    }
  }
  const all = Promise.all(Array.from({ length: WRITERS }, (_, at) => one(at)))
  return {
    get acknowledged() {
      return count
    },
    takeLongestGapMs() {
      const longest = Math.max(longestMs, performance.now() - lastMs)
      longestMs = 0
      return Math.round(longest)
    },
    async stop() {
      going = false
      await all
    },
    async check(client) {
      for (const [name, n] of acknowledged) {
        const { data } = await client.get(ConfigMap, name, IN)
        assert.ok(Number(data?.n) >= n, `${name}=${n} was acknowledged, ${data?.n} is there`)
      }
    },
  }
}

async function writeOnce(client: ApiClient, name: string, n: number): Promise<void> {
  const data = { n: String(n) }
  const current = await client.get(ConfigMap, name, IN).catch((error: unknown) => {
    if (isApiError(error) && error.code === 404) return undefined
    throw error
  })
  if (current === undefined) await client.create(ConfigMap, { metadata: { name }, data }, IN)
  else if (Number(current.data?.n) < n) await client.update(ConfigMap, { ...current, data }, IN)
}
