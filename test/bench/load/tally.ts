/** Latencies and refusals of one run. */
import { spreadOf } from '../harness/statistics.ts'
import type { LoadResult } from './job.ts'

export interface Tally {
  answer(status: number, bodyBytes: number, tookMs: number): void
  result(seconds: number): LoadResult
}

export function tally(): Tally {
  const latencies: number[] = []
  const refused: Record<string, number> = {}
  let answerBytes = 0
  return {
    answer(status, bodyBytes, tookMs) {
      answerBytes += bodyBytes
      if (status >= 200 && status < 300) latencies.push(tookMs)
      else refused[status] = (refused[status] ?? 0) + 1
    },
    result(seconds) {
      if (latencies.length === 0) throw new Error(`no request succeeded: ${JSON.stringify(refused)}`)
      return { requests: latencies.length, seconds, latencyMs: spreadOf(latencies), answerBytes, refused }
    },
  }
}
