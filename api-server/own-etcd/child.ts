/**
 * etcd as our child: started again when it ends, with a growing pause, until it is told to stop. It ends when we do,
 * however that happens: where there is setpriv (util-linux), the kernel kills it with us (PR_SET_PDEATHSIG, which node
 * cannot ask for itself); in any case its pid is kept, and what a killed server left behind is ended first. Two on one
 * data folder cannot be: etcd locks it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { etcdLogLine } from './log-line.ts'

export interface ChildOptions {
  readonly binary: string
  readonly arguments: readonly string[]
  /** Where its pid is kept. */
  readonly pidFile: string
  readonly log: Logger
}

export interface EtcdChild {
  /** Undefined between two runs. */
  readonly pid: number | undefined
  /** Why it is not started again, once that is so. */
  readonly gaveUp: string | undefined
  /** Its last words of weight, for errors. */
  readonly lastWords: string | undefined
  /** Asks it to end, hard after three seconds. Resolves when it is gone. */
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** Having run so long it counts as healthy, and the next pause is the first one again. */
const HEALTHY_AFTER_MS = 30_000
const STOP_MS = 3_000
/** etcd's words, when the others have taken it out; starting it again would never help. */
const REMOVED = /has been permanently removed from the cluster|the member has been removed/

/** Throws a sentence where `binary` (a path, or a name looked up in $PATH) is not there. */
export function etcdBinary(binary = 'etcd'): string {
  const found = binary.includes('/') ? [binary].find(isExecutable) : inPath(binary)
  if (found !== undefined) return found
  throw new Error(
    `there is no ${binary} to start: install etcd 3.4 or newer (Debian: apt-get install etcd-server), or name one with --etcd-binary`,
  )
}

function inPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/local/bin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // absent or not executable: the same answer to "can it be run?"
  }
}

/** Resolves once it was started for the first time; whether it serves is another question. */
export async function superviseEtcd(options: ChildOptions): Promise<EtcdChild> {
  const stop = new AbortController()
  const state: State = { child: undefined, gaveUp: undefined, lastWords: undefined }
  const ended = keepRunning(options, state, stop.signal)
  return {
    get pid() {
      return state.child?.pid
    },
    get gaveUp() {
      return state.gaveUp
    },
    get lastWords() {
      return state.lastWords
    },
    async stop() {
      stop.abort()
      await ended
      await rm(options.pidFile, { force: true })
    },
  }
}

interface State {
  child: ChildProcess | undefined
  gaveUp: string | undefined
  lastWords: string | undefined
}

async function keepRunning(options: ChildOptions, state: State, signal: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  while (!signal.aborted) {
    const begun = performance.now()
    const how = await runOnce(options, state, signal).catch((error: unknown) => String(error))
    if (signal.aborted) return
    if (state.gaveUp !== undefined) {
      options.log.error({ why: state.gaveUp }, 'etcd is not started again')
      return
    }
    if (performance.now() - begun > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS
    options.log.warn({ how, said: state.lastWords, pauseMs }, 'etcd has ended and is started again')
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

/** How it ended, in words. */
async function runOnce(options: ChildOptions, state: State, signal: AbortSignal): Promise<string> {
  const { binary, pidFile, log } = options
  const setpriv = inPath('setpriv')
  const argv = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : []), binary, ...options.arguments]
  const [program = binary, ...args] = argv
  // In a session of its own: Ctrl-C is for us, and etcd is asked to end after the server has let go of it.
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: environment() })
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  closed.catch(() => undefined)
  state.child = child
  follow(child, state, log)
  const stop = () => void end(child)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    if (child.pid !== undefined) await writeFile(pidFile, String(child.pid), { mode: 0o600 })
    const [code, signalName] = await closed
    return signalName === null ? `exited with ${code}` : `was ended by ${signalName}`
  } finally {
    signal.removeEventListener('abort', stop)
    state.child = undefined
  }
}

/** ETCD_… variables are flags, and would change what was settled here. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ETCD')))
}

function follow({ stderr }: ChildProcess, state: State, log: Logger): void {
  if (stderr === null) return
  createInterface({ input: stderr }).on('line', (line) => {
    if (REMOVED.test(line)) state.gaveUp = 'the other members have removed this one'
    const said = etcdLogLine(line)
    if (said.level !== 'debug' && said.level !== 'info') state.lastWords = said.text
    log[said.level]({ etcd: said.fields }, said.text)
  })
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await delay(STOP_MS, undefined, { ref: false })
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
}

/**
 * Ends an etcd of ours that outlived its server; a pid that belongs to somebody else by now is left alone. Throws where
 * its server lives: one data folder is one server's.
 */
export async function endLeftover(pidFile: string, dataFolder: string, log: Logger): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'))
  for (let tries = 0; (await isOurs(pid, dataFolder)) && tries < STOP_MS / 100; tries++) {
    const parent = await parentOf(pid)
    if ((await commandOf(parent)).includes('server'))
      throw new Error(`another flotilla server (pid ${parent}) runs on this data directory: stop it first`)
    if (tries === 0) log.warn({ pid }, 'an etcd that outlived its server is ended')
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just gone by itself.
    }
    await delay(100)
  }
}

async function isOurs(pid: number, dataFolder: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1) return false
  return (await commandOf(pid)).includes(`--data-dir=${dataFolder}`)
}

async function commandOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
}

/** Another one than before once that has died: init, or a reaper. */
async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0)
}
