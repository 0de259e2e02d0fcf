/** A unit driver for services over any launcher: real child processes, or the fake's imagined ones. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { coalesce } from '../changes.ts'
import type { JournalOptions, LogLine, ObservedUnit, Outcome, UnitDriver, UnitFile } from '../driver.ts'
import { badDropIn, inOrder, type UnitDirectory } from '../unit-directory.ts'
import { isUnitName, splitUnitName } from '../unit-name.ts'
import { describeResult } from '../unit-result.ts'
import { hintBoard } from './hint-board.ts'
import type { Launcher } from './launcher.ts'
import { type Life, serviceLife } from './life.ts'
import { type LifeState, NEVER_STARTED } from './life-state.ts'
import { unsupportedOption } from './service-options.ts'
import { serviceReach } from './service-reach.ts'
import { parseService, type ServiceSpec } from './service-spec.ts'
import { type Host, specifierExpander } from './specifiers.ts'

const STOP_DEADLINE_MS = 120_000

export interface ServiceBackend {
  readonly kind: 'process' | 'fake'
  readonly files: Pick<UnitDirectory, 'write' | 'remove' | 'read'>
  readonly launcher: Launcher
  readonly logs: {
    note(unit: string, message: string): void
    read(unit: string, identifier: string, options: JournalOptions): AsyncIterable<LogLine>
    remove(unit: string): void
  }
  readonly records: {
    load(): ReadonlyMap<string, LifeState>
    save(unit: string, state: LifeState): void
    remove(unit: string): void
  }
  readonly host: Host
  readonly log: Logger
  /** After the last service was let go. */
  readonly onClose: () => void
  /** How long `remove` waits for a service to stop before it kills all of its processes. */
  readonly stopDeadlineMs?: number
}

export async function superviseServices(backend: ServiceBackend): Promise<UnitDriver> {
  const contents = new Map(await backend.files.read())
  const hints = hintBoard()
  const lives = livesOf(backend, contents, hints.tell)
  const remove = (names: readonly string[]) => removeServices(backend, contents, lives, names, hints.tell)
  const perform = (names: readonly string[], act: (life: Life) => void) =>
    names.map((name) => carryOut(name, contents, lives, act))
  return {
    kind: backend.kind,
    unsupported: unsupportedOption,
    install: (files) => installServices(backend, contents, files, hints.tell),
    remove,
    start: async (names) => perform(names, (life) => life.start()),
    restart: async (names) => perform(names, (life) => life.restart()),
    async stop(names) {
      for (const name of names) lives.existing(name)?.stop()
      return names.map((name) => ({ name }))
    },
    observe: async (names) => new Map(names.map((name) => [name, observe(name, contents, lives)])),
    installed: async () => new Map(contents),
    changes: (signal) => coalesce(hints.listen, signal),
    explain: async (name) => explain(name, contents, lives),
    journal: (name, options) => backend.logs.read(name, identifierOf(name, contents, lives), options),
    ...serviceReach(
      backend,
      (name) => lives.existing(name),
      (name) => identifierOf(name, contents, lives),
    ),
    async close({ stopUnits = false } = {}) {
      if (stopUnits) await remove([...contents.keys()])
      for (const life of lives.all()) life.detach()
      backend.onClose()
    },
  }
}

type Lives = ReturnType<typeof livesOf>

function livesOf(backend: ServiceBackend, contents: ReadonlyMap<string, UnitFile>, tell: (name: string) => void) {
  const { host, launcher, log, logs, records } = backend
  const lives = new Map<string, Life>()
  const load = (unit: string): ServiceSpec =>
    parseService(contents.get(unit) ?? { content: '' }, specifierExpander(unit, host))
  const create = (unit: string, earlier?: LifeState): Life => {
    const life = serviceLife(
      {
        unit,
        host,
        launcher,
        load: () => load(unit),
        nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
        note: (message) => logs.note(unit, message),
        save(state) {
          records.save(unit, state)
          tell(unit)
        },
      },
      earlier,
    )
    lives.set(unit, life)
    return life
  }
  for (const [unit, state] of records.load()) {
    if (contents.has(unit)) create(unit, state)
    else records.remove(unit)
  }
  if (lives.size > 0) log.info({ units: [...lives.keys()] }, 'took up what an earlier agent supervised')
  return {
    load,
    all: () => lives.values(),
    existing: (unit: string) => lives.get(unit),
    of: (unit: string) => lives.get(unit) ?? create(unit),
    forget: (unit: string) => lives.delete(unit),
  }
}

async function installServices(
  { files: store, host }: ServiceBackend,
  contents: Map<string, UnitFile>,
  files: readonly UnitFile[],
  tell: (name: string) => void,
): Promise<readonly Outcome[]> {
  const outcomes = files.map((file): Outcome => {
    const refused = isUnitName(file.name)
      ? (badDropIn(file) ?? unsupportedOption(file) ?? badReplacement(file, contents, host))
      : `'${file.name}' is not a unit name`
    return refused === undefined ? { name: file.name } : { name: file.name, refused }
  })
  const accepted = files.filter((_, index) => outcomes[index]?.refused === undefined)
  await store.write(accepted)
  for (const file of accepted) {
    contents.set(file.name, inOrder(file))
    tell(file.name)
  }
  return outcomes
}

/** The first file of a name may be wrong, and then its start is refused; a later one must not take the place of a good one. */
function badReplacement(file: UnitFile, contents: ReadonlyMap<string, UnitFile>, host: Host): string | undefined {
  const { name } = file
  if (!contents.has(name)) return undefined
  try {
    parseService(file, specifierExpander(name, host))
    return undefined
  } catch (error) {
    return badSetting(name, error as Error)
  }
}

function badSetting(name: string, { message }: Error): string {
  return `Unit ${name} has a bad unit file setting. ${message}`
}

function carryOut(
  name: string,
  contents: ReadonlyMap<string, UnitFile>,
  lives: Lives,
  act: (life: Life) => void,
): Outcome {
  if (!contents.has(name)) return { name, refused: `Unit ${name} not found.` }
  if (splitUnitName(name).isTemplate) return { name, refused: `Unit name ${name} is missing the instance name.` }
  const wrong = loadError(name, lives)
  if (wrong) return { name, refused: wrong }
  act(lives.of(name))
  return { name }
}

function loadError(name: string, lives: Lives): string {
  try {
    lives.load(name)
    return ''
  } catch (error) {
    return badSetting(name, error as Error)
  }
}

async function removeServices(
  backend: ServiceBackend,
  contents: Map<string, UnitFile>,
  lives: Lives,
  names: readonly string[],
  tell: (name: string) => void,
): Promise<readonly Outcome[]> {
  const ours = names.filter((name) => contents.has(name))
  await Promise.all(ours.map((name) => stopCompletely(backend, lives.existing(name))))
  await backend.files.remove(ours)
  for (const name of ours) {
    contents.delete(name)
    lives.forget(name)
    backend.records.remove(name)
    backend.logs.remove(name)
    tell(name)
  }
  return names.map((name) => ({ name }))
}

async function stopCompletely(
  { launcher, stopDeadlineMs = STOP_DEADLINE_MS }: ServiceBackend,
  life: Life | undefined,
): Promise<void> {
  if (!life) return
  life.stop()
  const waiting = new AbortController()
  const late = delay(stopDeadlineMs, true, { signal: waiting.signal }).catch(() => false)
  const isLate = await Promise.race([life.settled(), late])
  waiting.abort()
  if (!isLate) return
  const { invocation, mainPID } = life.state()
  for (const pid of await launcher.membersOf(invocation, mainPID)) launcher.signal(pid, 'SIGKILL')
  await life.settled()
}

function observe(name: string, contents: ReadonlyMap<string, UnitFile>, lives: Lives): ObservedUnit {
  const { activeState, subState, result, mainPID, restarts, activeEnterTimestampUs, exitStatus } =
    lives.existing(name)?.state() ?? NEVER_STARTED
  const known = contents.has(name) && !splitUnitName(name).isTemplate
  const loadState = !known ? 'not-found' : loadError(name, lives) ? 'bad-setting' : 'loaded'
  return {
    name,
    loadState,
    activeState,
    subState,
    result: known ? result : '',
    mainPID,
    restarts,
    activeEnterTimestampUs,
    exitStatus,
  }
}

function explain(name: string, contents: ReadonlyMap<string, UnitFile>, lives: Lives): string {
  if (!contents.has(name)) return ''
  const { result, exitStatus, detail } = lives.existing(name)?.state() ?? NEVER_STARTED
  const failure = result === 'success' ? '' : [describeResult(result, exitStatus), detail].filter(Boolean).join('; ')
  return [loadError(name, lives), failure].filter(Boolean).join('; ')
}

/** As journald names the source of a line: SyslogIdentifier=, else the program's own name. */
function identifierOf(name: string, contents: ReadonlyMap<string, UnitFile>, lives: Lives): string {
  if (!contents.has(name) || loadError(name, lives)) return splitUnitName(name).prefix
  const { identifier, start } = lives.load(name)
  return identifier ?? start[0]?.path.split('/').at(-1) ?? splitUnitName(name).prefix
}
