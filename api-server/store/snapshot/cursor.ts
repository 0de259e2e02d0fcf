/** Exact numbers of bytes out of a stream of chunks. */
import type { Hash } from 'node:crypto'

/** The file is damaged, cut short, not a snapshot at all, or of a later version than this program knows. */
export class SnapshotError extends Error {}

export class Cursor {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #hash: Hash | undefined
  #rest: Buffer = Buffer.alloc(0)

  /** `hash` gets everything that `take` hands out. */
  constructor(chunks: AsyncIterable<Uint8Array>, hash?: Hash) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#hash = hash
  }

  /** Throws `SnapshotError` where there are not so many any more. */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.takeUnhashed(length)
    this.#hash?.update(bytes)
    return bytes
  }

  async takeUnhashed(length: number): Promise<Buffer> {
    const parts = [this.#rest]
    let have = this.#rest.length
    while (have < length) {
      const { done, value } = await this.#chunks.next()
      if (done) throw new SnapshotError('the backup is cut short')
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
      have += value.byteLength
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts, have)
    this.#rest = all.subarray(length)
    return all.subarray(0, length)
  }

  /** Throws `SnapshotError` where anything is left. */
  async end(): Promise<void> {
    if (!(await this.#chunks.next()).done || this.#rest.length > 0)
      throw new SnapshotError('the backup has bytes after its end')
  }
}
