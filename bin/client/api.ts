/**
 * The API as the command speaks it: any path, any form of answer (tables, streams), warnings, whole objects. Controllers
 * have their own narrower client; who we are and the connections come from the same place.
 */
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { type Dispatcher, request as send } from 'undici'
import { ApiError } from '../../controllers/lib/api-error.ts'
import { type Credentials, createCredentials } from '../../controllers/lib/credentials.ts'
import { withDeadline } from '../../controllers/lib/deadline.ts'
import { type KubeconfigChoice, kubeconfigPaths } from './kubeconfig.ts'
import { UnreachableError } from './unreachable.ts'

export type Query = Readonly<Record<string, string | undefined>>

export interface CallOptions {
  readonly query?: Query
  readonly body?: unknown
  /** Of the body; application/json unless given. */
  readonly contentType?: string
  /** application/json unless given. */
  readonly accept?: string
  /** 30 000 unless given. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}
export interface Answer {
  readonly code: number
  readonly value: unknown
  /** The server's `Warning` headers, in words. */
  readonly warnings: readonly string[]
}
export interface StreamOptions extends Pick<CallOptions, 'query' | 'accept' | 'signal'> {
  /** Ends the stream with an error when nothing came for so long; 0 waits for ever. */
  readonly silenceMs: number
}

/** Calls reject with ApiError (the server said no), UnreachableError, or the signal's reason. */
export interface Api {
  readonly server: string
  /** Of the kubeconfig's context. */
  readonly namespace: string
  request(method: Dispatcher.HttpMethod, path: string, options?: CallOptions): Promise<Answer>
  /** Resolves once the server has accepted; the body comes as the reader takes it. */
  stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>>
  /** What a WebSocket of our own needs: certificates, headers. */
  upgradeOptions(): Promise<RequestOptions>
  close(): Promise<void>
}

const TIMEOUT_MS = 30_000
const MAX_ERROR_BYTES = 64 * 1024

/** Reads the kubeconfig (throws a sentence when there is none); connects with the first call. */
export function openApi(choice: KubeconfigChoice, env: Readonly<Record<string, string | undefined>>): Api {
  const kubeconfig = load(kubeconfigPaths(choice, env))
  const credentials = createCredentials({ kubeconfig })
  const { namespace } = kubeconfig.getContextObject(kubeconfig.getCurrentContext()) ?? {}
  return {
    server: credentials.server,
    namespace: namespace || 'default',
    request: (method, path, options = {}) => requestOnce(credentials, method, path, options),
    stream: (path, options) => openStream(credentials, path, options),
    upgradeOptions: async () => {
      const options: RequestOptions = {}
      await kubeconfig.applyToHTTPSOptions(options)
      return options
    },
    close: () => credentials.close(),
  }
}

function load([first, ...others]: readonly [string, ...string[]]): KubeConfig {
  const read = (path: string): KubeConfig => {
    const kubeconfig = new KubeConfig()
    try {
      kubeconfig.loadFromFile(path)
    } catch (cause) {
      throw new Error(`cannot read the kubeconfig ${path}: ${messageOf(cause)}`, { cause })
    }
    return kubeconfig
  }
  const kubeconfig = read(first)
  // The first file that names a current context wins, as with kubectl.
  for (const path of others) kubeconfig.mergeConfig(read(path), kubeconfig.getCurrentContext() !== undefined)
  return kubeconfig
}

async function requestOnce(
  credentials: Credentials,
  method: Dispatcher.HttpMethod,
  path: string,
  options: CallOptions,
): Promise<Answer> {
  const attempt = async (signal: AbortSignal): Promise<Answer> => {
    const response = await dispatch(credentials, method, path, options, signal)
    const value = parse(await response.body.text())
    if (response.statusCode >= 300) throw new ApiError(response.statusCode, value)
    return { code: response.statusCode, value, warnings: warningsOf(response.headers.warning) }
  }
  return await withDeadline(options.signal, options.timeoutMs ?? TIMEOUT_MS, async (signal) => {
    try {
      return await attempt(signal)
    } catch (error) {
      if (error instanceof ApiError || signal.aborted) throw error
      // The server may close an idle connection just as it is used again; reading once more is harmless.
      if (method === 'GET' && isClosedSocket(error)) return await attempt(signal)
      throw error
    }
  }).catch((error: unknown) => {
    throw asUnreachable(credentials, error, options.signal)
  })
}

async function openStream(
  credentials: Credentials,
  path: string,
  { signal, ...options }: StreamOptions,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    const response = await dispatch(credentials, 'GET', path, options, signal, options.silenceMs)
    if (response.statusCode < 300) return readableBody(credentials, response.body, signal)
    const body = (await response.body.text()).slice(0, MAX_ERROR_BYTES)
    throw new ApiError(response.statusCode, parse(body))
  } catch (error) {
    throw asUnreachable(credentials, error, signal)
  }
}

async function* readableBody(
  credentials: Credentials,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw asUnreachable(credentials, error, signal)
  }
}

async function dispatch(
  credentials: Credentials,
  method: Dispatcher.HttpMethod,
  path: string,
  { query, body, contentType, accept }: CallOptions,
  signal: AbortSignal | undefined,
  silenceMs?: number,
): Promise<Dispatcher.ResponseData> {
  const { dispatcher, headers } = await credentials.access()
  const hasBody = body !== undefined
  return await send(`${credentials.server}${path}${queryString(query)}`, {
    dispatcher,
    method,
    ...(signal && { signal }),
    ...(silenceMs !== undefined && { bodyTimeout: silenceMs, headersTimeout: TIMEOUT_MS }),
    headers: {
      ...headers,
      accept: accept ?? 'application/json',
      'user-agent': 'flotilla-cli',
      ...(hasBody ? { 'content-type': contentType ?? 'application/json' } : {}),
    },
    body: hasBody ? JSON.stringify(body) : null,
  })
}

function asUnreachable(credentials: Credentials, error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof ApiError || error instanceof UnreachableError || signal?.aborted) return error
  return new UnreachableError(credentials.server, error)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not from our server (a proxy's error page, or plain text): the text itself is all there is to tell.
    return { message: text.slice(0, 1_000) }
  }
}

function isClosedSocket(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

function warningsOf(header: string | string[] | undefined): string[] {
  const all = header === undefined ? [] : Array.isArray(header) ? header : [header]
  return all.flatMap((each) =>
    [...each.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => unquote(match[1] ?? '')),
  )
}

function unquote(text: string): string {
  return text.replace(/\\(.)/g, '$1')
}

function queryString(query: Query = {}): string {
  const parts = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [`${key}=${encodeURIComponent(value)}`],
  )
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
