/**
 * The links that [Install] asks for (Alias=, WantedBy=, RequiredBy=, UpheldBy=), found by where they point to. systemd's own
 * disable would follow Also= and take the links of other units with it, units that are installed for their own sake.
 */
import type { Dirent } from 'node:fs'
import { readdir, readlink, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnitDirectory } from './unit-directory.ts'

const FOLDER_OF_LINKS = /\.(?:wants|requires|upholds)$/

/** Removes links of these units; with `except: 'unit'` the unit itself stays known under its own name. */
export async function removeLinks(
  runtimeFolder: string,
  dir: Pick<UnitDirectory, 'pathOf'>,
  names: readonly string[],
  { except }: { readonly except?: 'unit' } = {},
): Promise<void> {
  if (names.length === 0) return
  const targets = new Set(names.map(dir.pathOf))
  const entries = await entriesOf(runtimeFolder)
  const folders = entries.filter((entry) => entry.isDirectory() && FOLDER_OF_LINKS.test(entry.name))
  const own = except === 'unit' ? new Set(names) : new Set<string>()
  await removeIn(
    runtimeFolder,
    entries.filter(({ name }) => !own.has(name)),
    targets,
  )
  await Promise.all(
    folders.map(async ({ name }) => {
      const folder = join(runtimeFolder, name)
      const removed = await removeIn(folder, await entriesOf(folder), targets)
      if (removed > 0) await removeIfEmpty(folder)
    }),
  )
}

/** How many links into `targets` were removed. */
async function removeIn(folder: string, entries: readonly Dirent[], targets: ReadonlySet<string>): Promise<number> {
  const links = entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => join(folder, name))
  const removed = await Promise.all(
    links.map(async (link) => {
      if (!targets.has(await targetOf(link))) return false
      await rm(link, { force: true })
      return true
    }),
  )
  return removed.filter(Boolean).length
}

async function targetOf(link: string): Promise<string> {
  try {
    return await readlink(link)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '' // gone since it was listed
    throw error
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(codeOf(error))) throw error
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
