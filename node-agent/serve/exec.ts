/**
 * `exec` over a WebSocket with Kubernetes' framing: one command, its three streams, its exit code at the end.
 * Each direction holds one chunk at a time: a slow client slows the command, it never fills the agent's memory.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { UnitDriver } from '../units/driver.ts'
import { CHANNEL, type Channel, exitStatus, failureStatus, frame, unframe } from './channels.ts'
import { type RunningCommand, runCommand } from './command.ts'
import { createTerminal, parseSize, sizeOf, type Terminal, type WindowSize } from './terminal.ts'

export interface ExecRequest {
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Its terminal, and how large that is at first, where the client said so. */
  readonly terminal: { readonly size: WindowSize | undefined } | undefined
}

/** So many messages wait for a terminal that is being made. */
const MAX_EARLY = 8
const PING_EVERY_MS = 15_000
const MAX_UNANSWERED = 2
const CLOSE_NORMAL = 1000
/** What a shell reports for a command ended by a signal, and for one that cannot be run. */
const SIGNAL_EXIT_BASE = 128
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGTERM: 15 }

/** What is wrong with the query of an exec request, in a sentence; or the request. */
export function parseExec(query: URLSearchParams): ExecRequest | string {
  const command = query.getAll('command')
  if (command.length === 0 || command[0] === '') return 'exec needs at least one command= in its query'
  const isOn = (name: string): boolean => query.get(name) === 'true'
  const size = sizeOf(Number(query.get('rows')), Number(query.get('columns')))
  const terminal = isOn('tty') ? { size } : undefined
  return { command, stdin: isOn('stdin'), stdout: isOn('stdout'), stderr: isOn('stderr'), terminal }
}

/** Settles when the command has ended and the socket is closing; never rejects. */
export async function execOver(socket: WebSocket, request: ExecRequest, kind: UnitDriver['kind']): Promise<void> {
  const { command, stdin, terminal } = request
  const running = runCommand({ kind, command, stdin, terminal })
  const screen = terminal && createTerminal()
  const stopPings = killWhenSilent(socket)
  socket.on('error', () => socket.terminate())
  socket.once('close', running.kill)
  listen(socket, running.child, screen)
  try {
    await send(socket, await outcome(socket, running, request, screen))
  } catch {
    // The client left: its command is killed by the close handler, and nobody is there to be told.
  } finally {
    stopPings()
    socket.close(CLOSE_NORMAL)
  }
}

async function outcome(
  socket: WebSocket,
  running: RunningCommand,
  request: ExecRequest,
  screen: Terminal | undefined,
): Promise<Buffer> {
  const { child } = running
  try {
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    const [[code, signal]] = await Promise.all([
      exited,
      pump(child.stdout, CHANNEL.stdout, request.stdout ? socket : undefined, screen),
      pump(child.stderr, CHANNEL.stderr, request.stderr ? socket : undefined),
    ])
    return exitStatus(code ?? SIGNAL_EXIT_BASE + (SIGNAL_NUMBERS[signal ?? ''] ?? 0))
  } catch (error) {
    running.kill()
    return failureStatus(`cannot run ${JSON.stringify(request.command[0])}: ${(error as Error).message}`)
  }
}

/** Without a socket the output is read and dropped: the command must not block on a stream nobody asked for. */
async function pump(
  stream: Readable | null,
  channel: Channel,
  socket: WebSocket | undefined,
  screen?: Terminal,
): Promise<void> {
  for await (const chunk of stream ?? []) {
    const shown = screen ? screen.take(chunk as Buffer) : (chunk as Buffer)
    if (socket && shown.length > 0) await send(socket, frame(channel, shown))
  }
}

function send(socket: WebSocket, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, { binary: true }, (error) => (error ? reject(error) : resolve()))
  })
}

function listen(socket: WebSocket, child: ChildProcess, screen: Terminal | undefined): void {
  const { stdin } = child
  // EPIPE: the command has closed its input and may well go on without it.
  stdin?.on('error', () => socket.resume())
  stdin?.on('drain', () => socket.resume())
  let isOpen = screen === undefined
  let early: (() => void)[] = []
  void screen?.ready.then(() => {
    isOpen = true
    for (const act of early) act()
    early = []
    socket.resume()
  })
  const whenOpen = (act: () => void): void => {
    if (isOpen) act()
    else early.push(act)
    if (early.length >= MAX_EARLY) socket.pause()
  }
  socket.on('message', (data: Buffer) => {
    const { channel, payload } = unframe(data)
    const size = channel === CHANNEL.resize ? parseSize(payload) : undefined
    if (size) screen?.resize(size)
    if (channel === CHANNEL.close && payload[0] === CHANNEL.stdin) whenOpen(() => stdin?.end())
    if (channel !== CHANNEL.stdin) return
    whenOpen(() => {
      if (stdin?.writable && !stdin.write(payload)) socket.pause()
    })
  })
}

/** A client whose machine lost power sends no close: after two unanswered pings it counts as gone. */
function killWhenSilent(socket: WebSocket): () => void {
  let unanswered = 0
  socket.on('pong', () => {
    unanswered = 0
  })
  const timer = setInterval(() => {
    // While the command does not read its input, nothing is read from the socket either, answers included.
    if (socket.isPaused) return
    if (unanswered >= MAX_UNANSWERED) socket.terminate()
    else socket.ping()
    unanswered += 1
  }, PING_EVERY_MS)
  return () => clearInterval(timer)
}
