/**
 * Units that wait are told why at once, but what they are told changes in its words with every placement elsewhere: these
 * writes are limited, in turns by name, so that a thousand who wait do not cost a thousand writes a placement.
 */
import type { Unit } from '../../crds/unit.ts'

export interface Rewording {
  begin(nowMs: number): void
  may(unit: Readonly<Unit>): boolean
  /** When those who had to wait in this round may be asked about again; undefined: nobody had to. */
  end(): number | undefined
}

const PER_SECOND = 50
const PAUSE_MS = 500

export function createRewording(): Rewording {
  let [tokens, filledMs] = [PER_SECOND, 0]
  /** Those up to here had their turn. */
  let turn = ''
  let isSomeHeld = false
  return {
    begin: (nowMs) => {
      tokens = Math.min(PER_SECOND, tokens + ((nowMs - filledMs) / 1000) * PER_SECOND)
      filledMs = nowMs
      isSomeHeld = false
    },
    may: ({ metadata: { name } }) => {
      if (tokens < 1 || name <= turn) {
        isSomeHeld = true
        return false
      }
      tokens--
      if (tokens < 1) turn = name
      return true
    },
    end: () => {
      if (tokens >= 1) turn = ''
      return isSomeHeld ? PAUSE_MS : undefined
    },
  }
}
