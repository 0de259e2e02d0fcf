/**
 * The folder of installed unit files: one file a unit and its drop-ins in `NAME.d`, renamed into place so that a reader
 * sees the old or the new content. Nothing is fsynced: what must outlive a power loss is the agent's copy of the object
 * (copies.ts), from which a file that was cut short is written anew at the next start. With 67 units at once that saves
 * as many fsyncs.
 */
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DropIn, UnitFile } from './driver.ts'
import { isUnitName } from './unit-name.ts'

export type Written = 'new' | 'changed' | 'same'

export interface UnitDirectory {
  pathOf(name: string): string
  /** The folder of the unit's drop-ins; it is there only when the unit has some. */
  dropInsOf(name: string): string
  /** Names must have passed `isUnitName`. Tells of each what the write meant; drop-ins no longer named are gone. */
  write(files: readonly UnitFile[]): Promise<ReadonlyMap<string, Written>>
  remove(names: readonly string[]): Promise<void>
  /** All that is there, or of these names what is. */
  read(names?: readonly string[]): Promise<ReadonlyMap<string, UnitFile>>
}

const SUFFIX = '.d'
/** A file's name and nothing else: what comes from an object never leaves its folder, nor hides in it. */
const DROP_IN_NAME = /^[0-9A-Za-z:_-][0-9A-Za-z:_.-]*\.conf$/

export async function openUnitDirectory(dir: string): Promise<UnitDirectory> {
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const pathOf = (name: string) => join(dir, name)
  const dropInsOf = (name: string) => join(dir, name + SUFFIX)
  const read = async (only?: readonly string[]): Promise<ReadonlyMap<string, UnitFile>> => {
    const found = new Set(await readdir(dir))
    const names = (only ?? [...found]).filter((name) => isUnitName(name) && found.has(name))
    return new Map(
      await Promise.all(
        names.map(async (name) => [name, await readUnit(dir, name, found.has(name + SUFFIX))] as const),
      ),
    )
  }
  return {
    pathOf,
    dropInsOf,
    read,
    async write(files) {
      const found = new Set(await readdir(dir))
      return new Map(
        await Promise.all(
          files.map(async (file) => {
            const before = found.has(file.name)
              ? await readUnit(dir, file.name, found.has(file.name + SUFFIX))
              : undefined
            return [file.name, await writeUnit(dir, inOrder(file), before, found.has(file.name + SUFFIX))] as const
          }),
        ),
      )
    },
    // The unit file last: as long as it is there, the removal is tried again.
    async remove(names) {
      await Promise.all(names.map((name) => rm(dropInsOf(name), { recursive: true, force: true })))
      await Promise.all(names.map((name) => rm(pathOf(name), { force: true })))
    },
  }
}

/** Why the drop-ins of a file cannot be written, in one sentence. */
export function badDropIn({ dropIns = [] }: UnitFile): string | undefined {
  const names = dropIns.map(({ name }) => name)
  const wrong = names.find((name) => !DROP_IN_NAME.test(name))
  if (wrong !== undefined)
    return `'${wrong}' is not the name of a drop-in: letters, digits, ':', '_', '-', '.', and .conf`
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined ? undefined : `there are two drop-ins ${twice}`
}

/** With its drop-ins in the order in which systemd reads them: that of their bytes. Without the field when there are none. */
export function inOrder({ name, content, dropIns = [] }: UnitFile): UnitFile {
  if (dropIns.length === 0) return { name, content }
  return { name, content, dropIns: dropIns.toSorted((one, other) => (one.name < other.name ? -1 : 1)) }
}

export function isSameFile(one: UnitFile, other: UnitFile): boolean {
  const [left = [], right = []] = [inOrder(one).dropIns, inOrder(other).dropIns]
  if (one.content !== other.content || left.length !== right.length) return false
  return left.every(({ name, content }, index) => name === right[index]?.name && content === right[index]?.content)
}

async function readUnit(dir: string, name: string, hasDropIns: boolean): Promise<UnitFile> {
  const content = await readFile(join(dir, name), 'utf8')
  return inOrder({ name, content, dropIns: hasDropIns ? await readDropIns(join(dir, name + SUFFIX)) : [] })
}

async function readDropIns(folder: string): Promise<DropIn[]> {
  const names = (await readdir(folder)).filter((name) => DROP_IN_NAME.test(name))
  return Promise.all(names.map(async (name) => ({ name, content: await readFile(join(folder, name), 'utf8') })))
}

/** The unit file first: drop-ins without one would be seen by nobody, and so never be removed. */
async function writeUnit(
  dir: string,
  file: UnitFile,
  before: UnitFile | undefined,
  hasFolder: boolean,
): Promise<Written> {
  if (before !== undefined && isSameFile(before, file)) return 'same'
  if (before?.content !== file.content) await put(dir, file.name, file.content)
  await writeDropIns(join(dir, file.name + SUFFIX), file.dropIns ?? [], hasFolder)
  return before === undefined ? 'new' : 'changed'
}

async function writeDropIns(folder: string, dropIns: readonly DropIn[], hasFolder: boolean): Promise<void> {
  if (dropIns.length > 0) await mkdir(folder, { recursive: true, mode: 0o755 })
  await Promise.all(dropIns.map(({ name, content }) => put(folder, name, content)))
  if (!hasFolder) return
  const wanted = new Set(dropIns.map(({ name }) => name))
  const strays = (await readdir(folder)).filter((name) => !wanted.has(name))
  await Promise.all(strays.map((name) => rm(join(folder, name), { force: true })))
  if (dropIns.length === 0) await rmdir(folder)
}

/** A leading dot keeps half-written files out of `read` (no unit name starts with one) and away from systemd. */
async function put(folder: string, name: string, content: string): Promise<void> {
  const beside = join(folder, `.${name}`)
  await writeFile(beside, content, { mode: 0o644 })
  await rename(beside, join(folder, name))
}
