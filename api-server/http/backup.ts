/**
 * `GET /flotilla.dev/backup`: everything the store holds as of one revision, as one stream in the form of a backup file
 * (store/snapshot). It names every Secret, so only `system:masters` get it, whatever else a role may allow.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { MASTERS_GROUP } from '../auth/identity.ts'
import { backupBytes } from '../registry/backup.ts'
import { forbidden, methodNotAllowed, tooManyRequests, unauthorized } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { Caller } from './access.ts'
import { drained } from './reply.ts'

export const BACKUP_PATH = '/flotilla.dev/backup'

/** The store keeps an older state for as long as one of them is read. */
const MAX_AT_ONCE = 2
/** A client that takes nothing for so long is gone. */
const STALLED_MS = 60_000

export class Backups {
  readonly #registry: Registry
  readonly #running = new Map<ServerResponse, Promise<void>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Undefined where the request asks for no backup. Throws 401, 403, 405 or 429. */
  plan(path: string, { method }: Pick<IncomingMessage, 'method'>, { identity }: Caller) {
    if (path !== BACKUP_PATH) return undefined
    if (identity.groups.includes('system:unauthenticated')) throw unauthorized()
    if (!identity.groups.includes(MASTERS_GROUP))
      throw forbidden(`User "${identity.user}" cannot take a backup: only the group ${MASTERS_GROUP} may`)
    if (method !== 'GET') throw methodNotAllowed()
    return (response: ServerResponse) => this.#send(response)
  }

  /** Breaks off what is being sent. Resolves when nothing reads the store any more. */
  async end(): Promise<void> {
    for (const response of this.#running.keys()) response.destroy()
    await Promise.all(this.#running.values())
  }

  async #send(response: ServerResponse): Promise<void> {
    if (this.#running.size >= MAX_AT_ONCE) throw tooManyRequests()
    const sent = stream(this.#registry, response)
    this.#running.set(
      response,
      sent.catch(() => undefined),
    )
    try {
      await sent
    } finally {
      this.#running.delete(response)
    }
  }
}

async function stream(registry: Registry, response: ServerResponse): Promise<void> {
  const backup = await backupBytes(registry)
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
  try {
    for await (const bytes of backup) {
      if (response.destroyed) return
      if (!response.write(bytes)) await taken(response)
    }
    response.end()
  } catch (error) {
    // What has been sent cannot be taken back; that its end is missing tells the client.
    response.destroy()
    throw error
  }
}

async function taken(response: ServerResponse): Promise<void> {
  const stalled = setTimeout(() => response.destroy(), STALLED_MS)
  await drained(response)
  clearTimeout(stalled)
}
