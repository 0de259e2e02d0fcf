/** CLOCK_MONOTONIC in µs: what the machine's own systemd counts by. Never jumps; stands still while the machine sleeps. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}
