/**
 * The audit log: one JSON line for each write that was asked for, allowed or not, to a file that is rotated by size.
 * Requests never wait for it. Lines are written together within FLUSH_AFTER_MS; what does not fit into the bound
 * while the disk is slow or full is dropped and counted, and the log says how many.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface AuditOptions {
  /** Default: `audit.log` in the data folder. */
  readonly file: string
  /** A file this large is put aside as `<file>.1`. */
  readonly maxBytes?: number
  /** How many are kept aside. */
  readonly keep?: number
  /** Lines that wait for the disk, at most. */
  readonly maxWaitingBytes?: number
  /** Whether renewals of Leases are told of too, which are most of what a quiet fleet writes; true unless given. */
  readonly withHeartbeats?: boolean
}

/** Fields without a value are left out of the line. */
export interface AuditRecord {
  readonly time: string
  readonly requestId: string
  /** Undefined: not known, the request was answered 401. */
  readonly user: string | undefined
  readonly groups: readonly string[] | undefined
  /** Who really asked, where `user` is somebody else. */
  readonly impersonatedBy: string | undefined
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string | undefined
  readonly namespace: string | undefined
  readonly name: string | undefined
  /** Of a collection that was deleted: what was in it, the first hundred. */
  readonly deleted?: readonly string[] | undefined
  readonly deletedCount?: number | undefined
  readonly dryRun: true | undefined
  readonly code: number
  readonly resourceVersion: string | undefined
  readonly latencyMs: number
  readonly source: string | undefined
}

export interface AuditLog {
  write(record: AuditRecord): void
  /** Lines that were lost since the start. */
  readonly dropped: number
  /** Writes what is waiting and closes the file. */
  close(): Promise<void>
}

const MAX_BYTES = 64 * 1024 * 1024
const KEEP = 8
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const FLUSH_AFTER_MS = 100

export async function openAuditLog(options: AuditOptions, log: Logger): Promise<AuditLog> {
  const {
    file,
    maxBytes = MAX_BYTES,
    keep = KEEP,
    maxWaitingBytes = MAX_WAITING_BYTES,
    withHeartbeats = true,
  } = options
  const target = new RotatedFile(file, maxBytes, keep)
  await target.open()
  const stop = new AbortController()
  let lines: string[] = []
  let bytes = 0
  let dropped = 0
  let writing: Promise<void> | undefined
  const flush = async (): Promise<void> => {
    await delay(FLUSH_AFTER_MS, undefined, { signal: stop.signal }).catch(() => undefined)
    while (lines.length > 0) {
      const batch = lines
      lines = []
      bytes = 0
      await target.append(batch.join('')).catch((error: unknown) => {
        dropped += batch.length
        log.warn({ err: error, dropped }, 'audit lines lost')
      })
    }
    writing = undefined
  }
  return {
    get dropped() {
      return dropped
    },
    write: (record) => {
      if (!withHeartbeats && isHeartbeat(record)) return
      if (bytes > maxWaitingBytes) {
        dropped++
        return
      }
      const line = `${JSON.stringify(dropped > 0 ? { ...record, droppedBefore: dropped } : record)}\n`
      lines.push(line)
      bytes += line.length
      writing ??= flush()
    },
    close: async () => {
      stop.abort()
      await writing
      await target.close()
    },
  }
}

/** One that was refused is news. */
function isHeartbeat({ group, resource, verb, code }: AuditRecord): boolean {
  return (
    group === 'coordination.k8s.io' && resource === 'leases' && (verb === 'update' || verb === 'patch') && code < 300
  )
}

/** `file`, `file.1` (newer) … `file.<keep>` (oldest). */
class RotatedFile {
  readonly #file: string
  readonly #maxBytes: number
  readonly #keep: number
  #handle: FileHandle | undefined
  #size = 0

  constructor(file: string, maxBytes: number, keep: number) {
    this.#file = file
    this.#maxBytes = maxBytes
    this.#keep = keep
  }

  async open(): Promise<void> {
    this.#handle = await open(this.#file, 'a', 0o600)
    this.#size = (await this.#handle.stat()).size
  }

  async append(text: string): Promise<void> {
    if (this.#handle === undefined) await this.open()
    await this.#handle?.appendFile(text)
    this.#size += Buffer.byteLength(text)
    if (this.#size >= this.#maxBytes) await this.#rotate()
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async #rotate(): Promise<void> {
    await this.close()
    await rm(`${this.#file}.${this.#keep}`, { force: true })
    for (let at = this.#keep - 1; at >= 0; at--) {
      const from = at === 0 ? this.#file : `${this.#file}.${at}`
      await rename(from, `${this.#file}.${at + 1}`).catch(ignoreMissing)
    }
    await this.open()
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
