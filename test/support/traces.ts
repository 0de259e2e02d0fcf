/** What one data folder's lab has put on this box, found by looking and not by asking the product. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { labNames } from '../../node-agent/lab/names.ts'

function named(folder: string, part: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.filter((name) => name.includes(part)).map((name) => `${folder}/${name}`)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // gone meanwhile
  }
}

/** Other labs come and go while we look. */
function foldersBelow(folder: string): string[] {
  return listing(folder).flatMap((name) => [`${folder}/${name}`, ...foldersBelow(`${folder}/${name}`)])
}

function listing(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return [] // gone meanwhile
  }
}

/** Living processes whose command line or control group names one of `parts`; a zombie has neither. */
export function processesNaming(parts: readonly string[]): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
  return pids.flatMap((pid) => {
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    const text = `${command}\n${read(`/proc/${pid}/cgroup`)}`
    const isDead = /\) [ZX]/.test(read(`/proc/${pid}/stat`))
    return !isDead && parts.some((part) => text.includes(part)) ? [`process ${pid} ${command}`] : []
  })
}

/** PID 1 of a machine of `up`, as this box counts; undefined while it is off. */
export async function firstProcessOf(dataDir: string, machine: string): Promise<number | undefined> {
  const { prefix } = await labNames(dataDir)
  const isIt = (pid: string) =>
    /^NSpid:\t\d+\t1$/m.test(read(`/proc/${pid}/status`)) &&
    read(`/proc/${pid}/cgroup`).includes(`/${prefix}/${machine}/`)
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isIt(name))
  return found === undefined ? undefined : Number(found)
}

/** Processes, mounts, namespaces, control groups, interfaces and run folders that belong to this data folder. */
export async function tracesOf(dataDir: string): Promise<string[]> {
  const { prefix, dataDir: realDir } = await labNames(dataDir)
  const cgroups = foldersBelow('/sys/fs/cgroup')
  return [
    ...processesNaming([prefix, dataDir, realDir]),
    ...cgroups.filter((path) => path.includes(prefix)).map((path) => `cgroup ${path}`),
    ...read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(prefix) || line.includes(realDir))
      .map((line) => `mount ${line}`),
    ...['/run/netns', '/sys/class/net', '/run'].flatMap((folder) => named(folder, prefix)),
  ]
}
