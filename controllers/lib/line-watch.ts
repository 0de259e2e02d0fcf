/**
 * One watch connection without client-node's Watch, whose web streams and readline cost several times the memory: whoever
 * follows every kind there is has some dozens of them. Delivers what `watch.ts` does, and ends the same ways.
 */
import { StringDecoder } from 'node:string_decoder'
import { request as send } from 'undici'
import type { ApiObject } from '../../crds/kind.ts'
import { ApiError } from './api-error.ts'
import type { Credentials } from './credentials.ts'
import { DeadlineError, withDeadline } from './deadline.ts'
import { type Query, queryString } from './transport.ts'
import type { WatchEvent, WatchOptions } from './watch.ts'

export interface LineWatchOptions extends WatchOptions {
  readonly accept: string
  readonly query?: Query
}

const CONNECT_TIMEOUT_MS = 5_000
const SILENCE_MS = 25_000
/** No object is that large; what is, is no watch. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024

/** Resolves when the server ended the watch or `signal` fired. Rejects with ApiError, DeadlineError or the network's error. */
export async function watchLines(credentials: Credentials, path: string, options: LineWatchOptions): Promise<void> {
  const { signal, silenceMs = SILENCE_MS } = options
  if (signal?.aborted) return
  const end = new AbortController()
  const stop = () => end.abort()
  signal?.addEventListener('abort', stop, { once: true })
  const silence = setTimeout(() => end.abort(new DeadlineError(silenceMs)), silenceMs)
  try {
    const response = await withDeadline(end.signal, CONNECT_TIMEOUT_MS, () =>
      open(credentials, path, options, end.signal),
    )
    options.onOpen?.()
    await deliver(response.body, options.onEvent, () => silence.refresh())
  } catch (error) {
    if (signal?.aborted) return
    throw end.signal.aborted ? end.signal.reason : error
  } finally {
    clearTimeout(silence)
    signal?.removeEventListener('abort', stop)
    end.abort()
  }
}

async function open(
  credentials: Credentials,
  path: string,
  { accept, query, resourceVersion }: LineWatchOptions,
  signal: AbortSignal,
) {
  const { dispatcher, headers } = await credentials.watchAccess()
  const parameters = queryString({ ...query, watch: 'true', resourceVersion, allowWatchBookmarks: 'true' })
  const response = await send(`${credentials.server}${path}${parameters}`, {
    dispatcher,
    signal,
    headers: { ...headers, accept },
  })
  if (response.statusCode === 200) return response
  const text = await response.body.text()
  throw new ApiError(response.statusCode, statusIn(text))
}

function statusIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return { message: text.slice(0, 1_000) }
  }
}

async function deliver(
  chunks: AsyncIterable<Buffer>,
  onEvent: (event: WatchEvent) => void,
  onData: () => void,
): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of chunks) {
    onData()
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_LENGTH) throw new Error('the watch sent a line without end')
    for (const line of lines) if (line !== '') onEvent(eventIn(line))
  }
}

function eventIn(line: string): WatchEvent {
  const { type, object } = JSON.parse(line) as { type: string; object: ApiObject }
  if (type === 'ERROR') throw new ApiError(Number(object.code), object)
  return { type: type as WatchEvent['type'], object }
}
