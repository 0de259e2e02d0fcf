/**
 * The folder of installed unit files: one file a unit, renamed into place so that a reader sees the old or the new
 * content. Nothing is fsynced: what must outlive a power loss is the agent's copy of the object (copies.ts), from which
 * a file that was cut short is written anew at the next start. With 67 units at once that saves as many fsyncs.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnitFile } from './driver.ts'
import { isUnitName } from './unit-name.ts'

export type Written = 'new' | 'changed' | 'same'

export interface UnitDirectory {
  pathOf(name: string): string
  /** Names must have passed `isUnitName`. Tells of each what the write meant. */
  write(files: readonly UnitFile[]): Promise<ReadonlyMap<string, Written>>
  remove(names: readonly string[]): Promise<void>
  read(): Promise<ReadonlyMap<string, string>>
}

export async function openUnitDirectory(dir: string): Promise<UnitDirectory> {
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const pathOf = (name: string) => join(dir, name)
  // A leading dot keeps half-written files out of `read` (no unit name starts with one) and away from systemd.
  const tempOf = (name: string) => join(dir, `.${name}`)
  return {
    pathOf,
    async write(files) {
      const written = new Map(
        await Promise.all(
          files.map(async (file) => [file.name, await compare(pathOf(file.name), file.content)] as const),
        ),
      )
      const due = files.filter(({ name }) => written.get(name) !== 'same')
      await Promise.all(due.map(({ name, content }) => writeFile(tempOf(name), content, { mode: 0o644 })))
      await Promise.all(due.map(({ name }) => rename(tempOf(name), pathOf(name))))
      return written
    },
    async remove(names) {
      await Promise.all(names.map((name) => rm(pathOf(name), { force: true })))
    },
    async read() {
      const names = (await readdir(dir)).filter(isUnitName)
      return new Map(
        await Promise.all(names.map(async (name) => [name, await readFile(pathOf(name), 'utf8')] as const)),
      )
    },
  }
}

async function compare(path: string, content: string): Promise<Written> {
  try {
    return (await readFile(path, 'utf8')) === content ? 'same' : 'changed'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'new'
    throw error
  }
}
