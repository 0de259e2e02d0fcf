/** A real API server in memory, with a garbage collector that can be killed at any of its writes and is started again. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { startApiServer } from '../../../../api-server/main.ts'
import { createGarbageCollector } from '../../../../controllers/garbage-collector/index.ts'
import { type ApiClient, connect } from '../../../../controllers/lib/client.ts'
import { aborted } from '../../../../controllers/lib/clock.ts'
import type { Saying, Subject } from '../../../../controllers/lib/events.ts'
import type { MetadataClient } from '../../../../controllers/lib/metadata-client.ts'
import { removeTree } from '../../../support/temp-dir.ts'
import { within } from '../../../support/within.ts'

export interface World extends AsyncDisposable {
  readonly admin: ApiClient
  /** What the collector told of, as `namespace/name reason: message`. */
  readonly told: string[]
  /** Lets the collector begin. */
  collect(): void
  /** How often the collector was killed. */
  kills: number
}

const log = pino({ level: process.env.GC_LOG ?? 'silent' })

const STOP_WITHIN_MS = 2_000

export interface WorldOptions {
  /** Asked at every write of the collector: whether it dies before the server hears of it, or before it hears back. */
  readonly killAt?: () => 'before' | 'after' | undefined
}

export async function startWorld({ killAt = () => undefined }: WorldOptions = {}): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'flotilla-gc-'))
  const server = await startApiServer({ dataDir, listen: '127.0.0.1:0', store: 'memory', audit: false, log })
  const admin = connect({ kubeconfigPath: server.kubeconfigPath, maxConnections: 32 })
  const end = new AbortController()
  let running: Promise<void> | undefined
  const collect = () => {
    running ??= collectForever(world, killAt, end.signal)
  }
  const world = { admin, collect, told: [] as string[], kills: 0 }
  return Object.assign(world, {
    [Symbol.asyncDispose]: async () => {
      end.abort()
      await running
      await admin.close()
      await server.close()
      removeTree(dataDir)
    },
  })
}

type Told = Pick<World, 'admin' | 'told' | 'kills'>

async function collectForever(world: Told, killAt: NonNullable<WorldOptions['killAt']>, signal: AbortSignal) {
  const events = {
    record: ({ metadata: { namespace = '', name } }: Subject, { reason, message }: Saying) =>
      void world.told.push(`${namespace}/${name} ${reason}: ${message}`),
  }
  while (!signal.aborted) {
    const life = new AbortController()
    const die = () => life.abort()
    signal.addEventListener('abort', die, { once: true })
    const metadata = mortal(world.admin.metadata, killAt, () => {
      world.kills++
      die()
    })
    const living = createGarbageCollector({ client: { metadata }, events, log }).start(life.signal)
    await aborted(life.signal)
    await within(STOP_WITHIN_MS, living, 'the end of a killed collector')
    signal.removeEventListener('abort', die)
  }
}

function mortal(client: MetadataClient, killAt: NonNullable<WorldOptions['killAt']>, die: () => void): MetadataClient {
  const perhaps = async <T>(write: () => Promise<T>): Promise<T> => {
    const when = killAt()
    if (when === 'before') {
      die()
      throw new Error('killed before the write')
    }
    const answer = await write()
    if (when === 'after') {
      die()
      throw new Error('killed after the write')
    }
    return answer
  }
  return {
    ...client,
    patch: (...args) => perhaps(() => client.patch(...args)),
    delete: (...args) => perhaps(() => client.delete(...args)),
  }
}
