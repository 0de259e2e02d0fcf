/**
 * Where systemd sees the drop-ins: `NAME.d` in its folder of runtime links, with one link a file into ours. LinkUnitFiles
 * links unit files only. The folder itself is not a link, for a person may have one there (`systemctl edit --runtime`).
 */
import { mkdir, readdir, readlink, rm, rmdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnitFile } from './driver.ts'
import type { UnitDirectory } from './unit-directory.ts'

/** Makes the links of these files, and removes those of drop-ins that they no longer have. */
export async function linkDropIns(
  runtimeFolder: string,
  dir: Pick<UnitDirectory, 'dropInsOf'>,
  files: readonly UnitFile[],
): Promise<void> {
  const there = new Set(await namesIn(runtimeFolder))
  await Promise.all(
    files.map(({ name, dropIns = [] }) => {
      const folder = `${name}.d`
      if (dropIns.length === 0 && !there.has(folder)) return undefined
      const wanted = dropIns.map((dropIn) => dropIn.name)
      return syncLinks(join(runtimeFolder, folder), dir.dropInsOf(name), wanted)
    }),
  )
}

/** Removes every link into our drop-ins of these units. */
export async function unlinkDropIns(
  runtimeFolder: string,
  dir: Pick<UnitDirectory, 'dropInsOf'>,
  names: readonly string[],
): Promise<void> {
  const files = names.map((name) => ({ name, content: '' }))
  await linkDropIns(runtimeFolder, dir, files)
}

async function syncLinks(folder: string, target: string, wanted: readonly string[]): Promise<void> {
  if (wanted.length > 0) await mkdir(folder, { recursive: true, mode: 0o755 })
  const linked = await linksInto(folder, target)
  const strays = [...linked].filter((name) => !wanted.includes(name))
  await Promise.all(strays.map((name) => rm(join(folder, name), { force: true })))
  await Promise.all(
    wanted.filter((name) => !linked.has(name)).map((name) => link(join(target, name), join(folder, name))),
  )
  if (wanted.length === 0) await removeIfEmpty(folder)
}

async function linksInto(folder: string, target: string): Promise<ReadonlySet<string>> {
  const names = await namesIn(folder)
  const targets = await Promise.all(names.map((name) => targetOf(join(folder, name))))
  return new Set(names.filter((name, index) => targets[index] === join(target, name)))
}

async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (error) {
    if (['EINVAL', 'ENOENT'].includes(codeOf(error))) return undefined // a file of somebody's own, or gone
    throw error
  }
}

/** Ours outranks a file of the same name, as `force` does for unit files. */
async function link(target: string, path: string): Promise<void> {
  await rm(path, { force: true })
  await symlink(target, path)
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(codeOf(error))) throw error
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
