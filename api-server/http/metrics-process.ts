/** The process itself, under the names that every Prometheus client uses. */
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Family, Gauge } from './metrics-text.ts'

const RESOLUTION_MS = 20

export function processMetrics(): Family[] {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }
  /** What is beyond the timer's own period, since the last time somebody asked. */
  const lag = () => {
    const seconds = (ns: number) => Math.max(0, ns / 1e9 - RESOLUTION_MS / 1_000)
    const read = [
      [{ quantile: '0.5' }, seconds(delay.percentile(50))],
      [{ quantile: '0.99' }, seconds(delay.percentile(99))],
    ] as const
    delay.reset()
    return read
  }
  return [
    new Gauge('process_cpu_seconds_total', 'Processor time used.', cpuSeconds, 'counter'),
    new Gauge('process_resident_memory_bytes', 'Memory in RAM.', () => process.memoryUsage.rss()),
    new Gauge('process_start_time_seconds', 'When it started.', () => Math.round(performance.timeOrigin / 1_000)),
    new Gauge('process_open_fds', 'Open files and sockets.', openFiles),
    new Gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed),
    new Gauge('nodejs_external_memory_bytes', 'Buffers outside the heap.', () => process.memoryUsage().external),
    new Gauge('nodejs_eventloop_lag_seconds', 'How late turns of the event loop came.', lag),
  ]
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0 // no /proc: not known
  }
}
