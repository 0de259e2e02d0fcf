/** What a .service file asks for, typed and with systemd's defaults. Every message names the option it is about. */
import { constants } from 'node:os'
import { parseUnit, type UnitSections, type UnitTexts } from '../unit-file.ts'
import { type Command, parseCommands } from './command-line.ts'
import { type ExitSet, parseExitSet } from './exit-set.ts'
import type { Expand } from './specifiers.ts'
import { parseTimeSpanMs } from './time-span.ts'
import { splitWords } from './words.ts'

const RESTARTS = ['no', 'always', 'on-success', 'on-failure', 'on-abnormal', 'on-abort', 'on-watchdog'] as const
export type RestartPolicy = (typeof RESTARTS)[number]

export interface ServiceSpec {
  readonly type: 'simple' | 'oneshot'
  readonly remainAfterExit: boolean
  readonly startPre: readonly Command[]
  readonly start: readonly Command[]
  readonly startPost: readonly Command[]
  readonly stop: readonly Command[]
  readonly stopPost: readonly Command[]
  readonly environment: ReadonlyMap<string, string>
  readonly environmentFiles: readonly OptionalPath[]
  readonly passEnvironment: readonly string[]
  readonly unsetEnvironment: readonly string[]
  readonly workingDirectory: OptionalPath | undefined
  readonly user: string | undefined
  readonly group: string | undefined
  readonly umask: number
  readonly restart: RestartPolicy
  readonly restartMs: number
  readonly startLimit: { readonly burst: number; readonly intervalMs: number }
  readonly killSignal: NodeJS.Signals
  readonly killMode: 'control-group' | 'process' | 'mixed'
  readonly sendSigkill: boolean
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  readonly success: ExitSet
  readonly preventRestart: ExitSet
  readonly forceRestart: ExitSet
  readonly identifier: string | undefined
  readonly discardsOutput: { readonly stdout: boolean; readonly stderr: boolean }
  /** Arguments for prlimit(1), as `--nofile=1024:4096`. */
  readonly limits: readonly string[]
}

export interface OptionalPath {
  readonly path: string
  /** Written with `-`: missing is fine. */
  readonly optional: boolean
}

const DEFAULT_TIMEOUT_MS = 90_000
const DEFAULT_RESTART_MS = 100

/** The file holds a setting that cannot be run: systemd's load state `bad-setting`. */
export class BadSettingError extends Error {}

/** Throws BadSettingError, or UnitFileError when the syntax is broken. */
export function parseService(file: UnitTexts, expand: Expand): ServiceSpec {
  const read = reader(parseUnit(file), expand)
  const type = read.choice('Type', ['simple', 'exec', 'idle', 'oneshot'] as const) === 'oneshot' ? 'oneshot' : 'simple'
  const spec: ServiceSpec = {
    type,
    remainAfterExit: read.flag('RemainAfterExit', false),
    startPre: read.commands('ExecStartPre'),
    start: read.commands('ExecStart'),
    startPost: read.commands('ExecStartPost'),
    stop: read.commands('ExecStop'),
    stopPost: read.commands('ExecStopPost'),
    environment: read.assignments('Environment'),
    environmentFiles: read.all('EnvironmentFile').map(optionalPath),
    passEnvironment: read.words('PassEnvironment'),
    unsetEnvironment: read.words('UnsetEnvironment'),
    workingDirectory: read.optional('WorkingDirectory', optionalPath),
    user: read.optional('User', String),
    group: read.optional('Group', String),
    umask: read.optional('UMask', parseUmask) ?? 0o022,
    restart: read.choice('Restart', RESTARTS) ?? 'no',
    restartMs: read.span('RestartSec') ?? DEFAULT_RESTART_MS,
    startLimit: {
      burst: read.number('StartLimitBurst') ?? 5,
      intervalMs: read.span('StartLimitIntervalSec') ?? read.span('StartLimitInterval') ?? 10_000,
    },
    killSignal: read.optional('KillSignal', parseSignal) ?? 'SIGTERM',
    killMode: read.choice('KillMode', ['control-group', 'process', 'mixed'] as const) ?? 'control-group',
    sendSigkill: read.flag('SendSIGKILL', true),
    startTimeoutMs:
      read.timeout('TimeoutStartSec') ?? (type === 'oneshot' ? Number.POSITIVE_INFINITY : DEFAULT_TIMEOUT_MS),
    stopTimeoutMs: read.timeout('TimeoutStopSec') ?? DEFAULT_TIMEOUT_MS,
    success: read.exits('SuccessExitStatus'),
    preventRestart: read.exits('RestartPreventExitStatus'),
    forceRestart: read.exits('RestartForceExitStatus'),
    identifier: read.optional('SyslogIdentifier', String),
    discardsOutput: discards(read.optional('StandardOutput', String), read.optional('StandardError', String)),
    limits: read.limits(),
  }
  checkWhole(spec)
  return spec
}

/** systemd's own words, so that the same mistake reads the same everywhere. */
function checkWhole({ type, start, stop, restart, limits, ...spec }: ServiceSpec): void {
  if (start.length === 0 && stop.length === 0) {
    throw new BadSettingError('Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.')
  }
  if (start.length === 0 && !spec.remainAfterExit) {
    throw new BadSettingError(
      'Service has no ExecStart= setting, which is only allowed for RemainAfterExit=yes services. Refusing.',
    )
  }
  if (type !== 'oneshot' && start.length !== 1) {
    throw new BadSettingError(
      'Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.',
    )
  }
  if (type === 'oneshot' && (restart === 'always' || restart === 'on-success')) {
    throw new BadSettingError(
      "Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.",
    )
  }
  if (limits.length > 0 && start.some(({ path, argv0 }) => path !== argv0)) {
    throw new BadSettingError("the prefix '@' cannot be had together with Limit*= without systemd")
  }
}

function reader(file: UnitSections, expand: Expand) {
  const last = (key: string) =>
    file.last('Service', key) ?? (key.startsWith('StartLimit') ? file.last('Unit', key) : undefined)
  const optional = <T>(key: string, parse: (value: string) => T): T | undefined => {
    const value = last(key)
    return value === undefined ? undefined : about(key, () => parse(expand(value)))
  }
  const all = (key: string) => file.all('Service', key).map((value) => about(key, () => expand(value)))
  const span = (key: string) => optional(key, timeSpan)
  const wordsOf = (key: string) =>
    all(key).flatMap((value) => about(key, () => splitWords(value).map(({ text }) => text)))
  return {
    optional,
    all,
    span,
    words: wordsOf,
    exits: (key: string) => about(key, () => parseExitSet(wordsOf(key))),
    /** For time-outs 0 means none, and TimeoutSec= sets both. */
    timeout: (key: string) => {
      const spanMs = span(key) ?? span('TimeoutSec')
      return spanMs === 0 ? Number.POSITIVE_INFINITY : spanMs
    },
    number: (key: string) => optional(key, wholeNumber),
    flag: (key: string, fallback: boolean) => optional(key, parseBoolean) ?? fallback,
    choice: <T extends string>(key: string, choices: readonly T[]) => optional(key, (value) => oneOf(choices, value)),
    commands: (key: string) =>
      file.all('Service', key).flatMap((value) => about(key, () => parseCommands(value, expand))),
    assignments: (key: string) =>
      new Map(
        file
          .all('Service', key)
          .flatMap((value) => about(key, () => splitWords(value).map(({ text }) => assignment(expand(text))))),
      ),
    limits: () =>
      file.entries
        .filter(({ section, key }) => section === 'Service' && key.startsWith('Limit'))
        .map(({ key, value }) => `--${key.slice('Limit'.length).toLowerCase()}=${about(key, () => parseLimit(value))}`),
  }
}

function about<T>(key: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new BadSettingError(`${key}=: ${(error as Error).message}`)
  }
}

function optionalPath(value: string): OptionalPath {
  const optional = value.startsWith('-')
  const path = optional ? value.slice(1) : value
  if (!path.startsWith('/') && path !== '~') throw new Error(`'${path}' is not an absolute path`)
  if (/[*?[]/.test(path)) throw new Error(`'${path}': patterns need systemd`)
  return { path, optional }
}

function assignment(text: string): readonly [string, string] {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text)
  if (!match) throw new Error(`'${text}' is not an assignment`)
  return [match[1] ?? '', match[2] ?? '']
}

function oneOf<T extends string>(choices: readonly T[], value: string): T {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw new Error(`'${value}' is none of ${choices.join(', ')}`)
  return found
}

function timeSpan(value: string): number {
  const spanMs = parseTimeSpanMs(value)
  if (spanMs === undefined) throw new Error(`'${value}' is not a time span`)
  return spanMs
}

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new Error(`'${value}' is not a whole number`)
  return Number(value)
}

function parseBoolean(value: string): boolean {
  if (/^(?:1|yes|y|true|t|on)$/i.test(value)) return true
  if (/^(?:0|no|n|false|f|off)$/i.test(value)) return false
  throw new Error(`'${value}' is neither yes nor no`)
}

function parseUmask(value: string): number {
  if (!/^[0-7]{1,4}$/.test(value)) throw new Error(`'${value}' is not an octal mode`)
  return Number.parseInt(value, 8) & 0o777
}

export function parseSignal(value: string): NodeJS.Signals {
  const name = value.startsWith('SIG') ? value : `SIG${value}`
  const byNumber = Object.entries(constants.signals).find(([, number]) => String(number) === value)?.[0]
  if (byNumber === undefined && !(name in constants.signals)) throw new Error(`'${value}' is not a signal`)
  return (byNumber ?? name) as NodeJS.Signals
}

function parseLimit(value: string): string {
  const [soft = '', hard = soft] = value.split(':').map((part) => (part === 'infinity' ? 'unlimited' : part))
  if (![soft, hard].every((part) => /^(?:\d+|unlimited)$/.test(part)))
    throw new Error(`'${value}' is not a limit in plain numbers`)
  return `${soft}:${hard}`
}

function discards(stdout: string | undefined, stderr: string | undefined): ServiceSpec['discardsOutput'] {
  const out = stdout === 'null'
  return { stdout: out, stderr: stderr === 'null' || (out && (stderr === undefined || stderr === 'inherit')) }
}
