/** The machine the numbers come from, and how busy others kept it. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { tempDir } from '../../support/temp-dir.ts'
import { median } from './statistics.ts'

export interface Box {
  readonly processors: string
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** One 1 KB append and fdatasync in the folder that all servers here write to; ms, median. */
  readonly syncMs: number
  readonly date: string
}

const SYNCS = 200

export function describeBox(): Box {
  const all = cpus()
  return {
    processors: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    syncMs: syncMs(),
    date: new Date().toISOString().slice(0, 16),
  }
}

/** Runnable processes over the last minute: 0 on a quiet box before we begin, and our own work once we have. */
export function loadAverage(): number {
  return loadavg()[0] ?? 0
}

function syncMs(): number {
  const file = openSync(join(tempDir(), 'sync'), 'w')
  const block = Buffer.alloc(1024, 'x')
  const took = Array.from({ length: SYNCS }, () => {
    writeSync(file, block)
    const begun = performance.now()
    fdatasyncSync(file)
    return performance.now() - begun
  })
  closeSync(file)
  return median(took)
}
