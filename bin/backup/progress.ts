import type { Progress } from '../../api-server/store/restore.ts'

const SILENT_MS = 2_000

/** Says how far a restore has come, where it takes so long that somebody may wonder. */
export function reporting(note: (text: string) => void): (progress: Progress) => void {
  let saidMs = performance.now()
  return ({ written, keys }) => {
    if (performance.now() - saidMs < SILENT_MS || written >= keys) return
    saidMs = performance.now()
    note(`${written} of ${keys} keys are written`)
  }
}
