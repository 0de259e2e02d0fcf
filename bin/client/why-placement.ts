/** What each machine says to a unit that is on none, and the least that would place it. Pure. */
import type { Diagnosis, MachineAnswer } from '../../controllers/scheduler/diagnose.ts'
import type { Refusal } from '../../controllers/scheduler/rules/rule.ts'

export interface MachinesSay {
  readonly isRefused: boolean
  readonly because: readonly string[]
  readonly next: readonly string[]
}

const MAX_SHOWN = 20

export function machinesSay({ machines, smallest }: Diagnosis): MachinesSay | undefined {
  if (machines.length === 0) return undefined
  const free = machines.filter(({ refusals }) => refusals.length === 0)
  const rest = machines.length - MAX_SHOWN
  return {
    isRefused: free.length === 0,
    because: [
      `${free.length} of ${machines.length} machines can take it`,
      ...machines.slice(0, MAX_SHOWN).map(lineOf),
      ...(rest > 0 ? [`  and ${rest} more: flotilla get machines -o wide`] : []),
    ],
    next: smallest
      ? [`the smallest change that would place it, on ${smallest.machine}:`, ...fixesOf(smallest)]
      : ['a machine can take it: see whether "flotilla up" or "flotilla controllers" runs'],
  }
}

function lineOf({ machine, refusals }: MachineAnswer): string {
  return `  ${machine}: ${refusals.map(inWords).join('; ') || 'can take it'}`
}

function inWords({ reason, detail }: Refusal): string {
  return detail === undefined ? reason : `${reason} (${detail})`
}

function fixesOf({ refusals }: MachineAnswer): string[] {
  return [...new Set(refusals.map(({ fix }) => `  ${fix}`))]
}
