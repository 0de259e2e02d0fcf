/**
 * Makes unit files known to systemd and makes it forget them. New files need no daemon-reload (it looks for a file when a
 * unit is first named); one reload a batch when a file changed under a unit that is loaded, since it costs 100 ms.
 */
import { readdir } from 'node:fs/promises'
import { BusRefusedError } from './dbus-connection.ts'
import type { Outcome, UnitFile } from './driver.ts'
import { linkDropIns, unlinkDropIns } from './drop-in-links.ts'
import { removeLinks } from './install-links.ts'
import type { SystemdBus } from './systemd-bus.ts'
import type { Verify } from './systemd-verify.ts'
import { badDropIn, isSameFile, type UnitDirectory, type Written } from './unit-directory.ts'
import { parseUnit, UnitFileError } from './unit-file.ts'
import { isUnitName } from './unit-name.ts'

/** A reload re-reads every unit of the machine; on a slow one it takes seconds. */
const RELOAD_TIMEOUT_MS = 60_000
/** LinkUnitFiles, EnableUnitFiles: `runtime` links live in /run and are gone after a boot, `force` replaces stale ones. */
const RUNTIME = true
const FORCE = true
/** Where `runtime` links are made: /run/systemd/system, or /run/user/UID/systemd/user. */
const RUNTIME_FOLDER = /^\/run\/(?:systemd\/system|user\/\d+\/systemd\/user)$/

export async function installFiles(
  bus: SystemdBus,
  dir: UnitDirectory,
  files: readonly UnitFile[],
  verify: Verify,
): Promise<readonly Outcome[]> {
  const { outranking, runtimeFolder } = await folders(bus)
  const refused = new Map<string, string>()
  for (const file of files) {
    const why = untakeable(file, outranking)
    if (why !== undefined) refused.set(file.name, why)
  }
  const isFine = ({ name }: UnitFile) => !refused.has(name)
  const before = await dir.read(files.filter(isFine).map(({ name }) => name))
  const replaces = (file: UnitFile) => {
    const earlier = before.get(file.name)
    return earlier !== undefined && !isSameFile(earlier, file)
  }
  for (const [name, why] of await verify(files.filter((file) => isFine(file) && replaces(file)))) refused.set(name, why)
  const valid = files.filter(isFine)
  const here = { bus, dir, runtimeFolder, before }
  const written = await place(valid, refused, here)
  const broken = valid.filter((file) => !isFine(file) && replaces(file)).flatMap(({ name }) => before.get(name) ?? [])
  await place(broken, new Map(), here)
  const changed = valid.filter(({ name }) => written.get(name) !== 'same').map(({ name }) => name)
  if ((await loadedOf(bus, changed)).length > 0) await reload(bus)
  return files.map(({ name }) => outcome(name, refused))
}

/** What is wrong with the names alone. */
function untakeable(file: UnitFile, outranking: Folders['outranking']): string | undefined {
  const { name } = file
  if (!isUnitName(name)) return `'${name}' is not a unit name`
  const folder = outranking.get(name)
  const outranked = folder && `${name} is defined by the machine itself in ${folder}, which outranks any link`
  return badDropIn(file) ?? outranked
}

interface Place {
  readonly bus: SystemdBus
  readonly dir: UnitDirectory
  readonly runtimeFolder: string
  /** What was there, of the files that were. */
  readonly before: ReadonlyMap<string, UnitFile>
}

/** Writes, links and enables; what systemd would not link or enable is added to `refused`. */
async function place(
  files: readonly UnitFile[],
  refused: Map<string, string>,
  { bus, dir, runtimeFolder, before }: Place,
): Promise<ReadonlyMap<string, Written>> {
  if (files.length === 0) return new Map()
  const written = await dir.write(files)
  await linkDropIns(runtimeFolder, dir, files)
  await eachOrAll(
    files.map(({ name }) => name),
    refused,
    (some) => bus.manager('LinkUnitFiles', 'asbb', [some.map(dir.pathOf), RUNTIME, FORCE]),
  )
  const changed = files.filter(({ name }) => written.get(name) === 'changed').map(({ name }) => name)
  const wereEnabled = changed.filter((name) => hasInstallSection(before.get(name)))
  await removeLinks(runtimeFolder, dir, wereEnabled, { except: 'unit' })
  const toEnable = files.filter((file) => !refused.has(file.name) && hasInstallSection(file)).map(({ name }) => name)
  await eachOrAll(toEnable, refused, (some) => bus.manager('EnableUnitFiles', 'asbb', [some, RUNTIME, FORCE]))
  return written
}

/** The units are stopped. Links first, file last: a crash in between leaves the file, so removal is tried again. */
export async function removeFiles(bus: SystemdBus, dir: UnitDirectory, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => ignoringRefusal(bus.manager('ResetFailedUnit', 's', [name]))))
  if (names.length === 0) return
  const { runtimeFolder } = await folders(bus)
  await removeLinks(runtimeFolder, dir, names)
  await unlinkDropIns(runtimeFolder, dir, names)
  await dir.remove(names)
  if ((await loadedOf(bus, names)).length > 0) await reload(bus)
}

interface Folders {
  /** Where runtime links go. */
  readonly runtimeFolder: string
  /**
   * Names in the folders that systemd searches before that one, and where: such a unit would go on running the machine's
   * own file under our name.
   */
  readonly outranking: ReadonlyMap<string, string>
}

async function folders(bus: SystemdBus): Promise<Folders> {
  const path = (await bus.managerProperty('UnitPath')) as readonly string[]
  const at = path.findIndex((folder) => RUNTIME_FOLDER.test(folder))
  const listed = await Promise.all(
    path.slice(0, at).map(async (folder) => (await namesIn(folder)).map((name) => [name, folder] as const)),
  )
  const runtimeFolder = path[at]
  if (runtimeFolder === undefined) throw new Error(`systemd names no folder of runtime links among ${path.join(' ')}`)
  return { runtimeFolder, outranking: new Map(listed.flat()) }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter(isUnitName)
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes(String((error as NodeJS.ErrnoException).code))) return []
    throw error
  }
}

export async function reload(bus: SystemdBus): Promise<void> {
  await bus.manager('Reload', '', [], RELOAD_TIMEOUT_MS)
}

/** Answers systemd's refusal as text; an error of another kind (systemd is away) is thrown. */
export async function refusal(reply: Promise<unknown>): Promise<string | undefined> {
  try {
    await reply
    return undefined
  } catch (error) {
    if (error instanceof BusRefusedError) return error.message
    throw error
  }
}

/** For verbs where a refusal means that there is nothing left to do: the unit is not loaded. */
async function ignoringRefusal(reply: Promise<unknown>): Promise<void> {
  await refusal(reply)
}

/** One call for all; when systemd refuses it, one call each, so that a bad file fails alone. */
async function eachOrAll(
  names: readonly string[],
  refused: Map<string, string>,
  act: (names: readonly string[]) => Promise<unknown>,
): Promise<void> {
  if (names.length === 0 || (await refusal(act(names))) === undefined) return
  await Promise.all(
    names.map(async (name) => {
      const reason = await refusal(act([name]))
      if (reason !== undefined) refused.set(name, reason)
    }),
  )
}

/** Those of the names that systemd holds in memory. Asking by pattern (no name has a wildcard) loads nothing. */
async function loadedOf(bus: SystemdBus, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return []
  const [rows] = await bus.manager('ListUnitsByPatterns', 'asas', [[], names])
  return (rows as unknown[][]).filter((row) => row[2] !== 'not-found').map((row) => String(row[0]))
}

function hasInstallSection(file: UnitFile | undefined): boolean {
  if (file === undefined) return false
  try {
    return parseUnit(file).entries.some(({ section }) => section === 'Install')
  } catch (error) {
    // systemd says itself what is wrong with it, when the unit is started.
    if (error instanceof UnitFileError) return false
    throw error
  }
}

function outcome(name: string, refused: ReadonlyMap<string, string>): Outcome {
  const reason = refused.get(name)
  return reason === undefined ? { name } : { name, refused: reason }
}
