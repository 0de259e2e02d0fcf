import { readdirSync } from 'node:fs'
import { join } from 'node:path'

function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))
}

/** Every lab names its folder in /run so: without one there is nothing to look for. */
function anyLabRuns(): boolean {
  return readdirSync('/run').some((name) => /^fl[0-9a-f]{6}$/.test(name))
}

/**
 * Removes the namespaces, interfaces and cgroups of labs whose data lies in `folder`, at most two levels down. Only a
 * lab's own data folder tells which of these are its, so this comes before that folder is removed. Returns what could
 * not be removed.
 */
export async function removeLabResidue(folder: string): Promise<string[]> {
  if (process.getuid?.() !== 0 || !anyLabRuns()) return []
  const { removeResidue } = await import('../../node-agent/lab/index.ts')
  const near = foldersIn(folder)
  const failures: string[] = []
  for (const dataDir of [...near, ...near.flatMap(foldersIn)]) {
    await removeResidue(dataDir).catch((error: unknown) => failures.push(`lab of ${dataDir}: ${error}`))
  }
  return failures
}
