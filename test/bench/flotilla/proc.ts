/** What /proc says of a process. */
import { readdir, readFile } from 'node:fs/promises'

/** Resident memory, MB of 10^6 bytes as the bars count. */
export async function residentMB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN)
  return (kibibytes * 1024) / 1e6
}

/** Processor time spent so far, in seconds. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

const TICKS_PER_SECOND = 100

/** Processes whose command line and cgroup hold these words. */
export async function findProcesses(commandPart: string, cgroupPart: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(pids.map((pid) => matches(pid, commandPart, cgroupPart)))
  return pids.filter((_, index) => found[index]).map(Number)
}

async function matches(pid: string, commandPart: string, cgroupPart: string): Promise<boolean> {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    return command.includes(commandPart) && (await readFile(`/proc/${pid}/cgroup`, 'utf8')).includes(cgroupPart)
  } catch {
    return false // it has ended meanwhile
  }
}

const SAMPLED_EVERY_MS = 250

/** Samples `measure` until stopped; `stop` answers with the largest value seen. */
export function peakOf(measure: () => Promise<number>): { stop(): Promise<number> } {
  let peak = 0
  let sampling = Promise.resolve()
  const sample = () => {
    sampling = measure().then((value) => {
      peak = Math.max(peak, value)
    })
  }
  const timer = setInterval(sample, SAMPLED_EVERY_MS)
  sample()
  return {
    async stop() {
      clearInterval(timer)
      await sampling
      return peak
    },
  }
}
