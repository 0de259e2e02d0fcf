/** `flotilla exec`: a command on a machine, over Kubernetes' framing (v5.channel.k8s.io) on a WebSocket. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type WebSocket from 'ws'
import { ApiError } from '../../controllers/lib/api-error.ts'
import { MACHINES, UNITS } from './flotilla-types.ts'
import type { InputStream } from './io.ts'
import { objectPath } from './resources.ts'
import type { Session } from './session.ts'
import { unitNameOf } from './unit-name.ts'
import { UnreachableError } from './unreachable.ts'

export interface ExecOptions {
  readonly stdin?: boolean
  readonly tty?: boolean
}

const PROTOCOL = 'v5.channel.k8s.io'
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const STATUS = 3
const RESIZE = 4
const CLOSE = 255
const HANDSHAKE_TIMEOUT_MS = 15_000
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
/** What kubectl sends at a time; agents refuse messages that are much larger. */
const PIECE_BYTES = 32 * 1024
const MAX_REFUSAL_BYTES = 64 * 1024

/** The command's own exit code. Rejects when it could not be run, or the connection broke before it ended. */
export async function exec(
  session: Session,
  target: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<number> {
  if (command.length === 0) throw new Error('say what to run, after --: flotilla exec m1 -- uptime')
  const socket = await openSocket(session, pathOf(session, target, command, options))
  const restore = options.tty ? enterRawMode(session, socket) : () => {}
  const onAbort = (): void => socket.terminate()
  session.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const ended = receive(session, socket)
    if (options.stdin) sendInput(session.io.stdin, socket)
    return await ended
  } finally {
    session.signal.removeEventListener('abort', onAbort)
    restore()
    socket.terminate()
    // An open stdin would keep the process alive after the command has ended.
    if (options.stdin) session.io.stdin.destroy()
  }
}

function pathOf({ io }: Session, target: string, command: readonly string[], { stdin, tty }: ExecOptions): string {
  const [kind, name] = target.includes('/') ? splitTarget(target) : ['machine', target]
  const isUnit = /^(units?|un)$/i.test(kind)
  if (!isUnit && !/^(machines?|ma)$/i.test(kind)) throw new Error(`"${target}" is neither a machine nor unit/NAME`)
  const path = isUnit ? objectPath(UNITS, unitNameOf(name)) : objectPath(MACHINES, name)
  const query = new URLSearchParams(command.map((word): [string, string] => ['command', word]))
  if (stdin) query.set('stdin', 'true')
  query.set('stdout', 'true')
  // A terminal has one stream for both.
  query.set(tty ? 'tty' : 'stderr', 'true')
  if (tty && io.stdout.isTTY) {
    query.set('rows', String(io.stdout.rows))
    query.set('columns', String(io.stdout.columns))
  }
  return `${path}/exec?${query}`
}

function splitTarget(target: string): [string, string] {
  const at = target.indexOf('/')
  return [target.slice(0, at), target.slice(at + 1)]
}

async function openSocket({ api, signal }: Session, path: string): Promise<WebSocket> {
  const { WebSocket } = await import('ws')
  const url = `${api.server.replace(/^http/, 'ws')}${path}`
  const socket = new WebSocket(url, PROTOCOL, {
    ...(await api.upgradeOptions()),
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_MESSAGE_BYTES,
  })
  const onAbort = (): void => socket.terminate()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', (error) => reject(new UnreachableError(api.server, error)))
      socket.once('unexpected-response', (_request, response) => void refusalOf(response).then(reject, reject))
    })
    return socket
  } catch (error) {
    socket.on('error', () => {})
    socket.terminate()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What the server said instead of opening the connection. */
async function refusalOf(response: IncomingMessage): Promise<ApiError> {
  let text = ''
  for await (const chunk of response) if (text.length < MAX_REFUSAL_BYTES) text += chunk
  const code = response.statusCode ?? 0
  try {
    return new ApiError(code, JSON.parse(text))
  } catch {
    return new ApiError(code, { message: text || `HTTP ${code}` })
  }
}

interface EndStatus {
  readonly status?: string
  readonly message?: string
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] }
}

/** Resolves with the exit code once everything the command wrote is written. */
async function receive({ out, signal }: Session, socket: WebSocket): Promise<number> {
  let ended: EndStatus | undefined
  let isLost = false
  // One write at a time: a slow reader stops the socket, which stops the command.
  let writing = Promise.resolve()
  socket.on('message', (data: Buffer) => {
    const [channel, payload] = [data[0], data.subarray(1)]
    if (channel === STATUS) ended = JSON.parse(payload.toString('utf8')) as EndStatus
    if (channel !== STDOUT && channel !== STDERR) return
    socket.pause()
    writing = writing.then(() => (channel === STDOUT ? out.write(payload) : out.errorBytes(payload)))
    void writing.then(() => socket.resume())
  })
  socket.on('error', () => {
    isLost = true
  })
  await once(socket, 'close')
  await writing
  signal.throwIfAborted()
  if (ended === undefined) throw new Error(`the connection ${isLost ? 'broke' : 'ended'} before the command did`)
  return exitCodeOf(ended)
}

function exitCodeOf({ status, message, details }: EndStatus): number {
  if (status === 'Success') return 0
  const code = Number(details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message)
  if (Number.isInteger(code) && code > 0) return code
  throw new Error(message ?? 'the command could not be run')
}

function sendInput(stdin: InputStream, socket: WebSocket): void {
  const pump = async (): Promise<void> => {
    for await (const chunk of stdin) {
      const bytes = chunk as Buffer
      for (let at = 0; at < bytes.length; at += PIECE_BYTES)
        await send(socket, STDIN, bytes.subarray(at, at + PIECE_BYTES))
    }
    await send(socket, CLOSE, Buffer.from([STDIN]))
  }
  // The command may end before its input does; its status says how.
  pump().catch(() => {})
}

function send(socket: WebSocket, channel: number, payload: Uint8Array): Promise<void> {
  const message = Buffer.concat([Buffer.from([channel]), payload])
  return new Promise((resolve, reject) => {
    socket.send(message, { binary: true }, (error) => (error ? reject(error) : resolve()))
  })
}

/** Keys go to the command as they are, and it learns how large the window is. */
function enterRawMode({ io }: Session, socket: WebSocket): () => void {
  const { stdin, stdout } = io
  if (!stdin.isTTY) return () => {}
  const resize = (): void => {
    const size = { Width: stdout.columns ?? 80, Height: stdout.rows ?? 24 }
    send(socket, RESIZE, Buffer.from(`${JSON.stringify(size)}\n`)).catch(() => {})
  }
  stdin.setRawMode?.(true)
  stdout.on('resize', resize)
  resize()
  return () => {
    stdout.off('resize', resize)
    stdin.setRawMode?.(false)
  }
}
