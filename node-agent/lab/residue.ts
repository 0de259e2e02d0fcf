/** Finding and removing everything a lab makes outside its data folder, with no more to go by than its prefix. */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findHierarchies, labFolders, removeLabFolders } from './cgroups.ts'
import { run } from './command.ts'
import { tryLock } from './lock.ts'
import { type LabNames, labNames } from './names.ts'
import { networkResidue, removeNetwork } from './network.ts'

/**
 * Removes what the lab of a data folder left behind, and with `removeData` its machines' disks. Resolves with what was
 * found, one line each; the second call finds nothing. Throws while a living process has that lab open.
 */
export async function removeResidue(dataDir: string, { removeData = false } = {}): Promise<string[]> {
  const names = await labNames(dataDir)
  const lock = await tryLock(names.prefix)
  if (!lock) throw new Error(`the machines of ${names.dataDir} are in use by a running flotilla; stop that first`)
  try {
    const found = await residue(names)
    if (found.length > 0) await sweep(names)
    if (removeData) await removeMachines(names)
    return found
  } finally {
    await lock.release()
  }
}

/** Kills, unplugs and removes all of the lab; what is already gone is not missed. */
export async function sweep(names: LabNames): Promise<void> {
  await Promise.all([removeLabFolders(await findHierarchies(), names), removeNetwork(names)])
  await removeRunDir(names.runDir)
}

/** Everything of the lab that is there now: cgroup folders, namespaces, interfaces, the run folder. */
export async function residue(names: LabNames): Promise<string[]> {
  const all = await findHierarchies()
  const [folders, network] = await Promise.all([
    Promise.all(all.map((hierarchy) => labFolders(hierarchy, names))),
    networkResidue(names),
  ])
  return [
    ...folders.flat().map((folder) => `cgroup ${folder}`),
    ...network.namespaces.map((netns) => `network namespace ${netns}`),
    ...network.links.map((link) => `interface ${link}`),
    ...(existsSync(names.runDir) ? [`folder ${names.runDir}`] : []),
  ]
}

export async function removeMachines(names: LabNames): Promise<void> {
  await rm(join(names.dataDir, 'machines'), { recursive: true, force: true })
}

/**
 * A machine's mounts live and die with its mount namespace. Should one be seen here all the same, then what lies behind
 * it (this box's /usr!) must not be emptied: it is unmounted first, and a folder that still holds one is left.
 */
export async function removeRunDir(runDir: string): Promise<void> {
  for (const mount of (await mountsBelow(runDir)).toReversed()) await run('umount', ['-l', mount])
  const left = await mountsBelow(runDir)
  if (left.length > 0) throw new Error(`not removing ${runDir}: ${left[0]} is mounted in it`)
  await rm(runDir, { recursive: true, force: true })
}

async function mountsBelow(folder: string): Promise<string[]> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8')
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
}
