/**
 * How the store lies in lmdb. Four tables:
 *
 *     keys    key → pointer: the revision and place of its newest record, and the revision that created it
 *     log     revision u64, place u8 → record: one change, with its value and a pointer to the one it replaced
 *     meta    name → number: format, revision (newest), compacted (oldest that can be read)
 *     clock   revision u64 → milliseconds since 1970: about when that revision was current, for compaction by age
 *
 * A value is written once, at the end of the log, where lmdb packs pages densely; the table of keys stays small. A record
 * is both the key's value and its history, so a watch from the past and a read of the present find the same bytes.
 */
import { mkdirSync } from 'node:fs'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { KeyValue, Revision } from './store.ts'
import type { Change, Version } from './transaction.ts'

/** Where a key's version lies in the log. */
export interface Pointer extends Version {
  /** Its place among the changes of its transaction. */
  readonly place: number
}

/** A change as the log keeps it. */
export interface LogRecord {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly value: Uint8Array
  readonly created: Revision
  readonly before: Pointer | undefined
}

export interface Tables {
  readonly root: RootDatabase<Buffer, Uint8Array>
  readonly keys: Database<Buffer, string>
  readonly log: Database<Buffer, Uint8Array>
  readonly meta: Database<Buffer, string>
  readonly clock: Database<Buffer, Uint8Array>
  /**
   * Closes the files and opens them again, for all who use these tables: once its head page could not be synced, lmdb
   * answers neither writes nor reads any more. Rejects when they cannot be opened.
   */
  reopen(): Promise<void>
}

type Opened = Omit<Tables, 'reopen'>

/** Address space, not memory; lmdb enlarges it when it is full. */
const DEFAULT_MAP_BYTES = 4 * 1024 ** 3

const PUT = 1
const DELETE = 2
const POINTER_BYTES = 17
const ADDRESS_BYTES = 9
const RECORD_HEAD_BYTES = 1 + 8 + POINTER_BYTES + 2

/** Writes keys straight into lmdb's buffer, as plain UTF-8, which is what ranges compare. */
const utf8Keys = {
  writeKey: (key: string, target: Buffer, at: number) => at + target.write(key, at, 'utf8'),
  readKey: (source: Buffer, start: number, end: number) => source.toString('utf8', start, end),
}

/** Opens or creates the files in `folder`. */
export function openTables(folder: string, mapSizeBytes = DEFAULT_MAP_BYTES): Tables {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let opened = openFiles(folder, mapSizeBytes)
  return {
    get root() {
      return opened.root
    },
    get keys() {
      return opened.keys
    },
    get log() {
      return opened.log
    },
    get meta() {
      return opened.meta
    },
    get clock() {
      return opened.clock
    },
    async reopen() {
      await opened.root.close()
      opened = openFiles(folder, mapSizeBytes)
    },
  }
}

/**
 * `overlappingSync: false` makes a commit visible and answered only once it is synced, so a failed sync leaves the state
 * before it.
 */
function openFiles(folder: string, mapSize: number): Opened {
  const root = open<Buffer, Uint8Array>(folder, {
    encoding: 'binary',
    keyEncoding: 'binary',
    mapSize,
    overlappingSync: false,
    eventTurnBatching: false,
    noSubdir: false,
    maxDbs: 8,
  })
  const byText = { encoding: 'binary', keyEncoder: utf8Keys } as const
  const byBytes = { encoding: 'binary', keyEncoding: 'binary' } as const
  return {
    root,
    keys: root.openDB('keys', byText),
    log: root.openDB('log', byBytes),
    meta: root.openDB('meta', byText),
    clock: root.openDB('clock', byBytes),
  }
}

export function encodeNumber(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** The address of a record in the log. */
export function addressOf(modified: Revision, place: number): Buffer {
  return writeAddress(Buffer.allocUnsafe(ADDRESS_BYTES), modified, place)
}

export function writeAddress(bytes: Buffer, modified: Revision, place: number): Buffer {
  bytes.writeBigUInt64BE(modified)
  bytes[8] = place
  return bytes
}

/** The revision that an address, or a key of the clock, begins with. */
export function revisionOf(address: Uint8Array): Revision {
  return Buffer.from(address.buffer, address.byteOffset, 8).readBigUInt64BE(0)
}

function writePointer(bytes: Buffer, at: number, { modified, place, created }: Pointer): void {
  bytes.writeBigUInt64BE(modified, at)
  bytes[at + 8] = place
  bytes.writeBigUInt64BE(created, at + 9)
}

function readPointer(bytes: Buffer, at: number): Pointer {
  return {
    modified: bytes.readBigUInt64BE(at),
    place: bytes.readUInt8(at + 8),
    created: bytes.readBigUInt64BE(at + 9),
  }
}

export function encodePointer(pointer: Pointer): Buffer {
  const bytes = Buffer.allocUnsafe(POINTER_BYTES)
  writePointer(bytes, 0, pointer)
  return bytes
}

export function decodePointer(bytes: Buffer): Pointer {
  return readPointer(bytes, 0)
}

const NOWHERE: Pointer = { modified: 0n, place: 0, created: 0n }

export function encodeRecord({ type, key, value, created, before }: Change<Pointer>): Buffer {
  const keyBytes = Buffer.byteLength(key)
  const bytes = Buffer.allocUnsafe(RECORD_HEAD_BYTES + keyBytes + value.byteLength)
  bytes[0] = type === 'put' ? PUT : DELETE
  bytes.writeBigUInt64BE(created, 1)
  writePointer(bytes, 9, before ?? NOWHERE)
  bytes.writeUInt16BE(keyBytes, RECORD_HEAD_BYTES - 2)
  bytes.write(key, RECORD_HEAD_BYTES)
  bytes.set(value, RECORD_HEAD_BYTES + keyBytes)
  return bytes
}

function valueStart(bytes: Buffer): number {
  return RECORD_HEAD_BYTES + bytes.readUInt16BE(RECORD_HEAD_BYTES - 2)
}

/** The value is a view of `bytes`. */
export function decodeRecord(bytes: Buffer): LogRecord {
  const value = valueStart(bytes)
  const before = readPointer(bytes, 9)
  return {
    type: bytes[0] === PUT ? 'put' : 'delete',
    key: bytes.toString('utf8', RECORD_HEAD_BYTES, value),
    value: bytes.subarray(value),
    created: bytes.readBigUInt64BE(1),
    before: before.modified === 0n ? undefined : before,
  }
}

/** What `pointer` points at, for a key that is known: the value is a view of the record that was read. */
export function keyValueOf(key: string, { created, modified }: Pointer, record: Buffer): KeyValue {
  return { key, value: record.subarray(valueStart(record)), created, modified }
}
