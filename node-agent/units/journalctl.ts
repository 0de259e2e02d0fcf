/** Reads the journal through journalctl, the only reader of its files whose format is a promise. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DriverUnavailableError, type JournalOptions } from './driver.ts'
import { type JournalEntry, parseEntry } from './journal-entry.ts'

/** A journal entry may be larger than memory should be; longer lines are cut out, not buffered. */
const MAX_LINE_BYTES = 1024 * 1024
const FIELDS = 'MESSAGE,SYSLOG_IDENTIFIER,_PID,PRIORITY'

export function journalArguments(
  match: readonly string[],
  { lines, follow, after, sinceUs }: Omit<JournalOptions, 'signal'>,
): string[] {
  return [
    ...match,
    '--output=json',
    `--output-fields=${FIELDS}`,
    '--all',
    '--quiet',
    '--no-pager',
    ...(after === undefined ? [`--lines=${lines ?? 'all'}`] : [`--after-cursor=${after}`, '--no-tail']),
    // journalctl takes one place to begin at, not two.
    ...(after === undefined && sinceUs !== undefined ? [`--since=@${(sinceUs / 1e6).toFixed(6)}`] : []),
    ...(follow ? ['--follow'] : []),
  ]
}

/** Ends quietly on abort; throws DriverUnavailableError with journalctl's words when it fails. Reads no faster than its consumer. */
export async function* readJournal(args: readonly string[], signal: AbortSignal): AsyncGenerator<JournalEntry> {
  for await (const line of splitLines(streamJournal(args, signal))) {
    if (signal.aborted) return
    const entry = parseEntry(line)
    if (entry) yield entry
  }
}

/** The same, as the bytes that journalctl writes. */
export async function* streamJournal(args: readonly string[], signal: AbortSignal): AsyncGenerator<Buffer> {
  if (signal.aborted) return
  const child = spawn('journalctl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const complaint = collect(child)
  const stop = () => child.kill('SIGKILL')
  signal.addEventListener('abort', stop)
  try {
    const ended = once(child, 'close')
    // Awaited below; until then a failure to spawn must not count as unhandled.
    ended.catch(() => {})
    for await (const chunk of child.stdout) {
      if (signal.aborted) return
      yield chunk as Buffer
    }
    await ended.catch((cause: unknown) => {
      throw new DriverUnavailableError('journalctl could not be run', { cause })
    })
    if (child.exitCode !== 0 && !signal.aborted) throw new DriverUnavailableError(`journalctl: ${complaint()}`)
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

function collect(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    if (text.length < 2000) text += chunk
  })
  return () => text.trim() || `ended with status ${child.exitCode ?? child.signalCode}`
}

/** The for-await over the pipe is the back-pressure: nothing is read while the consumer has not asked for more. */
async function* splitLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of stream) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const whole = Buffer.concat([...rest, chunk.subarray(start, end)])
      if (restBytes <= MAX_LINE_BYTES) yield whole.toString('utf8')
      rest = []
      restBytes = 0
      start = end + 1
    }
    restBytes += chunk.length - start
    if (restBytes <= MAX_LINE_BYTES) rest.push(chunk.subarray(start))
    else rest = []
  }
}
