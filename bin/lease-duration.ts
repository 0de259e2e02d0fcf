/** `--lease-duration`: how long a machine counts as alive after it was last heard. */
import { InvalidArgumentError, Option } from 'commander'
import { parseDurationMs } from './client/duration.ts'

const SHORTEST_MS = 2_000
const LONGEST_MS = 300_000

export interface LeaseDurationFlag {
  readonly leaseDuration: number
}

export const leaseDurationOption = (what: string) =>
  new Option('--lease-duration <duration>', what)
    .env('FLOTILLA_LEASE_DURATION')
    .argParser(parseLeaseDuration)
    .default(8_000, '8s')

/** In milliseconds, but whole seconds: a Lease object can say nothing else. */
export function parseLeaseDuration(text: string): number {
  const durationMs = parsed(text)
  if (durationMs % 1_000 !== 0 || durationMs < SHORTEST_MS || durationMs > LONGEST_MS)
    throw new InvalidArgumentError('Whole seconds, from 2s to 5m.')
  return durationMs
}

function parsed(text: string): number {
  try {
    return parseDurationMs(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
