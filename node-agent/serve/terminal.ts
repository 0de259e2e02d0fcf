/**
 * A command's terminal, without a native module: script(1) of util-linux makes the pseudo-terminal. The first thing
 * written on it is its own name, by which its window is given its size later on; before that nothing else is let in or
 * out, since what is typed is echoed.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export interface WindowSize {
  readonly rows: number
  readonly columns: number
}

const STTY_DEADLINE_MS = 5_000
const MAX_SIDE = 10_000
/** More than this before the name means that the name does not come. */
const MAX_PREFACE_BYTES = 4_096
// biome-ignore lint/suspicious/noControlCharactersInRegex: the mark is a control character, so that nobody types it
const NAME = /\u001e(\/dev\/[\w/]+)\r?\n/

/** The command with a terminal around it, of that size from its start where it is known. */
export function withTerminal(command: readonly string[], size: WindowSize | undefined): readonly string[] {
  const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const sized = size === undefined ? '' : `stty rows ${size.rows} columns ${size.columns}; `
  const script = `${sized}printf '\\036%s\\n' "$(tty)"; export TERM=xterm; exec ${words}`
  return ['script', '--quiet', '--return', '--flush', '--command', script, '/dev/null']
}

/** Why there is no terminal to be had, in a sentence; undefined where there is. */
export async function whyNoTerminal(path = process.env.PATH ?? ''): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    try {
      await access(join(folder, 'script'), constants.X_OK)
      return undefined
    } catch {
      // Not in this folder.
    }
  }
  return 'this machine gives no terminal: script(1) (package bsdutils or util-linux) is not installed; leave out -t'
}

/** Kubernetes' resize message; undefined for what is none. */
export function parseSize(payload: Buffer): WindowSize | undefined {
  try {
    const { Width, Height } = JSON.parse(payload.toString('utf8')) as { Width?: unknown; Height?: unknown }
    return sizeOf(Height, Width)
  } catch {
    // Not JSON: no size.
    return undefined
  }
}

export function sizeOf(rows: unknown, columns: unknown): WindowSize | undefined {
  const isSide = (side: unknown): side is number =>
    Number.isInteger(side) && Number(side) > 0 && Number(side) < MAX_SIDE
  return isSide(rows) && isSide(columns) ? { rows, columns } : undefined
}

export interface Terminal {
  /** What of the output is for the client. The name is taken out. */
  take(chunk: Buffer): Buffer
  /** Sizes come as they may, the newest counts. */
  resize(size: WindowSize): void
  /** Settles once the terminal is known: from then on input may go in. */
  readonly ready: Promise<void>
}

export function createTerminal(): Terminal {
  let preface = Buffer.alloc(0)
  let device: string | undefined
  let isOpen = false
  let open = (): void => {}
  const ready = new Promise<void>((resolve) => {
    open = resolve
  })
  const sizes = sizer()
  const begin = (): void => {
    isOpen = true
    preface = Buffer.alloc(0)
    // What is typed comes after the size, if one has been told already.
    void sizes.settle(device).then(open)
  }
  return {
    ready,
    take(chunk) {
      if (isOpen) return chunk
      preface = Buffer.concat([preface, chunk])
      const found = NAME.exec(preface.toString('latin1'))
      if (found === null && preface.length < MAX_PREFACE_BYTES) return Buffer.alloc(0)
      device = found?.[1]
      const rest = found ? preface.subarray(found.index + found[0].length) : preface
      begin()
      return rest
    },
    resize(size) {
      sizes.want(size)
      if (isOpen) void sizes.settle(device)
    },
  }
}

/** One stty at a time; what is wanted meanwhile is done after it. */
function sizer() {
  let wanted: WindowSize | undefined
  let running: Promise<void> | undefined
  const run = async (device: string): Promise<void> => {
    for (let size = wanted; size !== undefined; size = wanted) {
      wanted = undefined
      await stty(device, size)
    }
  }
  const settle = (device: string | undefined): Promise<void> => {
    if (device === undefined) return Promise.resolve()
    running ??= run(device).then(() => {
      running = undefined
      if (wanted !== undefined) void settle(device)
    })
    return running
  }
  return {
    want(size: WindowSize): void {
      wanted = size
    },
    settle,
  }
}

/** A terminal that is gone has no size; the command's end says the rest. */
function stty(device: string, { rows, columns }: WindowSize): Promise<void> {
  const args = ['-F', device, 'rows', String(rows), 'columns', String(columns)]
  return new Promise((resolve) => {
    execFile('stty', args, { timeout: STTY_DEADLINE_MS }, () => resolve())
  })
}
