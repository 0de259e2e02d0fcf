/** The lab's folders in the machine's cgroup hierarchies: making, freezing, killing and removing them. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Hierarchy, hierarchies } from './cgroup-hierarchies.ts'
import type { LabNames } from './names.ts'
import { waitFor } from './wait.ts'

const V2_CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids', 'hugetlb']
const GONE_TIMEOUT_MS = 5_000
const FREEZE_TIMEOUT_MS = 2_000
/** How deep below a mount point a supervisor's own cgroup is looked for; systemd's sessions are 4 deep. */
const MAX_DEPTH = 8

export async function findHierarchies(): Promise<Hierarchy[]> {
  const [mountinfo, own] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/self/cgroup', 'utf8'),
  ])
  return hierarchies(mountinfo, own)
}

export function machineFolder(hierarchy: Hierarchy, names: LabNames, machine: string): string {
  return join(hierarchy.base, names.prefix, machine)
}

/** Makes the machine's folder in every hierarchy, ready to be joined. */
export async function makeFolders(all: readonly Hierarchy[], names: LabNames, machine: string): Promise<void> {
  const made = all.map(async (hierarchy) => {
    const lab = join(hierarchy.base, names.prefix)
    if (hierarchy.name === '.') await enableControllers(hierarchy.base)
    for (const folder of [lab, join(lab, machine)]) {
      await mkdir(folder, { recursive: true })
      if (hierarchy.mountOptions.split(',').includes('cpuset')) await inheritCpuset(folder)
      if (hierarchy.name === '.' && folder === lab) await enableControllers(lab)
    }
  })
  await Promise.all(made)
}

/** Stops or continues every process of a machine; resolves when the kernel says it is done. */
export async function setFrozen(all: readonly Hierarchy[], names: LabNames, machine: string, frozen: boolean) {
  const { hierarchy, file, value, done } = freezer(all, frozen)
  const folder = machineFolder(hierarchy, names, machine)
  await writeFile(join(folder, file), value)
  const look = async () => ((await readFile(join(folder, done.file), 'utf8')).includes(done.text) ? true : undefined)
  await waitFor(look, { timeoutMs: FREEZE_TIMEOUT_MS, what: `${machine} ${frozen ? 'frozen' : 'thawed'}`, everyMs: 2 })
}

/** Removes a machine's folders after killing what is still in them; does nothing where there are none. */
export async function removeFolders(all: readonly Hierarchy[], names: LabNames, machine: string): Promise<void> {
  await Promise.all(all.map((hierarchy) => emptyAndRemove(machineFolder(hierarchy, names, machine))))
}

/** The same for the whole lab, wherever its folders are. */
export async function removeLabFolders(all: readonly Hierarchy[], names: LabNames): Promise<void> {
  const found = await Promise.all(all.map((hierarchy) => labFolders(hierarchy, names)))
  await Promise.all(found.flat().map(emptyAndRemove))
}

/** The lab's folders in one hierarchy, wherever the process that made them was. */
export async function labFolders(hierarchy: Hierarchy, names: LabNames): Promise<string[]> {
  const here = join(hierarchy.base, names.prefix)
  if (existsSync(here)) return [here]
  return search(hierarchy.mountPoint, names.prefix, MAX_DEPTH)
}

async function search(folder: string, wanted: string, depth: number): Promise<string[]> {
  const children = await subfolders(folder)
  if (children.includes(wanted)) return [join(folder, wanted)]
  if (depth === 0) return []
  return (await Promise.all(children.map((child) => search(join(folder, child), wanted, depth - 1)))).flat()
}

/** v2 freezes processes so that SIGKILL still ends them, so it is preferred where both exist. */
function freezer(all: readonly Hierarchy[], frozen: boolean) {
  const v2 = all.find((hierarchy) => hierarchy.version === 2)
  const done = { file: 'cgroup.events', text: frozen ? 'frozen 1' : 'frozen 0' }
  if (v2) return { hierarchy: v2, file: 'cgroup.freeze', value: frozen ? '1' : '0', done }
  const v1 = all.find((hierarchy) => hierarchy.mountOptions.split(',').includes('freezer'))
  if (!v1) throw new Error('this machine has no cgroup freezer')
  const state = frozen ? 'FROZEN' : 'THAWED'
  return { hierarchy: v1, file: 'freezer.state', value: state, done: { file: 'freezer.state', text: state } }
}

/** One by one: a controller that is not to be had (bound to v1, not delegated) must not keep the others out. */
async function enableControllers(folder: string): Promise<void> {
  for (const controller of V2_CONTROLLERS)
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`).catch(() => {})
}

/** A v1 cpuset folder starts empty, and nothing can join it until it has CPUs and memory nodes. */
async function inheritCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if ((await readFile(join(folder, file), 'utf8')).trim() !== '') continue
    await writeFile(join(folder, file), await readFile(join(folder, '..', file), 'utf8'))
  }
}

async function emptyAndRemove(folder: string): Promise<void> {
  const look = async () => {
    await killAll(folder)
    return (await removeTree(folder)) ? true : undefined
  }
  await waitFor(look, { timeoutMs: GONE_TIMEOUT_MS, what: `${folder} removed` })
}

/** Thaws (v1 processes cannot die while frozen) and kills whatever is in a folder and those below. */
async function killAll(folder: string): Promise<void> {
  const processes = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')
  if (existsSync(join(folder, 'freezer.state')))
    await writeFile(join(folder, 'freezer.state'), 'THAWED').catch(() => {})
  for (const pid of processes.split('\n').map(Number)) {
    if (pid > 0) kill(pid)
  }
  for (const child of await subfolders(folder)) await killAll(join(folder, child))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // ESRCH: it died meanwhile
  }
}

/** True when the folder is gone; false while a dying process holds it or one below. */
async function removeTree(folder: string): Promise<boolean> {
  for (const child of await subfolders(folder)) {
    if (!(await removeTree(join(folder, child)))) return false
  }
  try {
    await rmdir(folder)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return true
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false
    throw error
  }
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []) // gone meanwhile
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}
