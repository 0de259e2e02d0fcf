/** Where a command's words go. A reader that has seen enough (`| head`) ends the command without a complaint. */
import { once } from 'node:events'
import type { Io, OutputStream } from './io.ts'
import { type Paint, paintFor } from './paint.ts'

export interface Output {
  readonly isTerminal: boolean
  readonly paint: Paint
  /** Waits for a slow reader. After the reader has gone nothing is written and nothing fails. */
  write(text: string | Uint8Array): Promise<void>
  line(text: string): Promise<void>
  /** To stderr: what is no part of the answer. */
  note(text: string): void
  errorBytes(bytes: Uint8Array): Promise<void>
  readonly isBroken: boolean
  /** Stops listening on the streams. */
  release(): void
}

export function createOutput(io: Io, onBroken: () => void): Output {
  let isBroken = false
  const breakOff = (): void => {
    if (isBroken) return
    isBroken = true
    onBroken()
  }
  const { stdout, stderr } = io
  stdout.on('error', breakOff)
  // Whoever closed stderr does not want to hear that it is closed.
  stderr.on('error', ignore)
  const write = async (stream: OutputStream, data: string | Uint8Array): Promise<void> => {
    if (isBroken || stream.destroyed || stream.write(data)) return
    await Promise.race([once(stream, 'drain'), once(stream, 'close')]).catch(breakOff)
  }
  return {
    isTerminal: stdout.isTTY === true,
    paint: paintFor(stdout, io.env),
    write: (text) => write(stdout, text),
    line: (text) => write(stdout, `${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    errorBytes: (bytes) => write(stderr, bytes),
    get isBroken() {
      return isBroken
    },
    release: () => {
      // The last write may still fail after we have stopped caring.
      stdout.on('error', ignore).off('error', breakOff)
    },
  }
}

function ignore(): void {}
