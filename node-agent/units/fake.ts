/**
 * The unit driver in memory, for tests of the agent: the same supervision as the process driver, over processes that only
 * exist as entries in a map. They understand the few commands that tests use (sleep, true, false, echo, sh -c with those
 * and `exit N`); any other path is a missing executable.
 */
import pino, { type Logger } from 'pino'
import type { JournalOptions, LogLine, UnitDriver, UnitFile } from './driver.ts'
import type { Exit } from './process/exit-set.ts'
import { LaunchError, type Launcher, type LaunchRequest, type RunningProcess } from './process/launcher.ts'
import { superviseServices } from './process/services.ts'
import { inOrder, isSameFile, type UnitDirectory, type Written } from './unit-directory.ts'

const PROGRAMS = new Set(['sleep', 'true', 'false', 'echo', 'sh', 'bash'])
const EXEC = 203
const MAX_LINES = 10_000

export interface FakeUnitDriver extends UnitDriver {
  /** As kill(2) from outside; an unknown pid is fine. */
  kill(pid: number, signal: NodeJS.Signals): void
  isAlive(pid: number): boolean
  /** Names of the units that have a living process. */
  running(): readonly string[]
}

export interface FakeDriverOptions {
  readonly log?: Logger
  /** What an earlier driver had installed. */
  readonly installed?: ReadonlyMap<string, UnitFile>
}

export async function openFakeDriver({ log, installed }: FakeDriverOptions = {}): Promise<FakeUnitDriver> {
  const logs = memoryLogs()
  const processes = imaginedProcesses(logs.append)
  const driver = await superviseServices({
    kind: 'fake',
    files: memoryFiles(new Map(installed)),
    launcher: processes.launcher,
    logs,
    records: { load: () => new Map(), save: () => undefined, remove: () => undefined },
    host: {
      hostname: 'fake',
      machineId: 'f'.repeat(32),
      bootId: '0'.repeat(32),
      runtimeDir: '/run',
      userName: 'root',
      uid: 0,
      home: '/root',
    },
    log: log ?? pino({ level: 'silent' }),
    onClose: processes.end,
  })
  return { ...driver, kill: processes.launcher.signal, isAlive: processes.isAlive, running: processes.running }
}

function memoryFiles(contents: Map<string, UnitFile>): Pick<UnitDirectory, 'write' | 'remove' | 'read'> {
  return {
    async write(files) {
      const kinds = files.map((file): [string, Written] => {
        const before = contents.get(file.name)
        return [file.name, before === undefined ? 'new' : isSameFile(before, file) ? 'same' : 'changed']
      })
      for (const file of files) contents.set(file.name, inOrder(file))
      return new Map(kinds)
    },
    async remove(names) {
      for (const name of names) contents.delete(name)
    },
    read: async () => new Map(contents),
  }
}

interface Imagined {
  readonly unit: string
  readonly invocation: string
  readonly ignoresTerm: boolean
  readonly end: (exit: Exit) => void
}

function imaginedProcesses(append: (unit: string, identifier: string, message: string) => void) {
  const alive = new Map<number, Imagined>()
  let lastPid = 1000
  const begin = ({ unit, invocation, path, args }: LaunchRequest): RunningProcess => {
    const program = path.split('/').at(-1) ?? ''
    if (!PROGRAMS.has(program))
      throw new LaunchError(EXEC, `Failed to locate executable ${path}: No such file or directory`)
    const pid = ++lastPid
    const script = scriptOf(program, args)
    for (const line of script.output) append(unit, program, line)
    const exited = new Promise<Exit>((resolve) => {
      const timer = Number.isFinite(script.lastsMs)
        ? setTimeout(() => end({ code: script.code, signal: null }), script.lastsMs)
        : undefined
      const end = (exit: Exit) => {
        clearTimeout(timer)
        alive.delete(pid)
        resolve(exit)
      }
      alive.set(pid, { unit, invocation, ignoresTerm: script.ignoresTerm, end })
    })
    return { pid, startTicks: pid, exited }
  }
  const launcher: Launcher = {
    launch: async (request) => begin(request),
    adopt: () => undefined,
    membersOf: async (invocation) =>
      [...alive].filter(([, process]) => process.invocation === invocation).map(([pid]) => pid),
    signal(pid, signal) {
      const found = alive.get(pid)
      if (found && !(found.ignoresTerm && signal === 'SIGTERM')) found.end({ code: null, signal })
    },
  }
  return {
    launcher,
    isAlive: (pid: number) => alive.has(pid),
    running: () => [...new Set([...alive.values()].map(({ unit }) => unit))],
    end() {
      for (const { end } of alive.values()) end({ code: null, signal: 'SIGKILL' })
    },
  }
}

interface Script {
  readonly lastsMs: number
  readonly code: number
  readonly ignoresTerm: boolean
  readonly output: readonly string[]
}

function scriptOf(program: string, args: readonly string[]): Script {
  const text = program === 'sh' || program === 'bash' ? (args.at(-1) ?? '') : [program, ...args].join(' ')
  let lastsMs = 0
  let code = 0
  const output: string[] = []
  for (const [, word, rest = ''] of text.matchAll(/\b(sleep|true|false|echo|exit)\b\s*([^;&]*)/g)) {
    const argument = rest.trim()
    if (word === 'sleep') lastsMs += argument === 'infinity' ? Number.POSITIVE_INFINITY : Number(argument) * 1000
    else if (word === 'echo') output.push(argument.replace(/^(['"])(.*)\1$/, '$2'))
    else code = word === 'exit' ? Number(argument) : Number(word === 'false')
  }
  return { lastsMs, code, output, ignoresTerm: /trap ['"]{2} TERM/.test(text) }
}

function memoryLogs() {
  const lines = new Map<string, LogLine[]>()
  const listeners = new Set<() => void>()
  let count = 0
  const append = (unit: string, identifier: string, message: string) => {
    const kept = lines.get(unit) ?? []
    lines.set(unit, [
      ...kept.slice(-MAX_LINES + 1),
      { cursor: String(++count), timestampUs: Date.now() * 1000, message, identifier },
    ])
    for (const wake of listeners) wake()
  }
  const since = (unit: string, cursor: number) => (lines.get(unit) ?? []).filter((line) => Number(line.cursor) > cursor)
  return {
    append,
    note: (unit: string, message: string) => append(unit, 'flotilla', message),
    remove: (unit: string) => void lines.delete(unit),
    async *read(
      unit: string,
      _identifier: string,
      { lines: newest, follow, after, signal }: JournalOptions,
    ): AsyncGenerator<LogLine> {
      const first = since(unit, Number(after ?? 0))
      let due =
        after === undefined && newest !== undefined ? first.slice(first.length - Math.min(newest, first.length)) : first
      let seen = Number(after ?? 0)
      while (!signal.aborted) {
        for (const line of due) {
          seen = Number(line.cursor)
          yield line
        }
        if (!follow) return
        due = since(unit, seen)
        if (due.length === 0 && !signal.aborted) await oneWake(listeners, signal)
      }
    },
  }
}

function oneWake(listeners: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      listeners.delete(wake)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    listeners.add(wake)
    signal.addEventListener('abort', wake)
  })
}
