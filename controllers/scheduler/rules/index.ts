/** Every rule of placement, in the order in which a refusal is told, and what makes one machine better than another. */
import { conflicts } from './conflicts.ts'
import { machineId } from './machine-id.ts'
import { machineMetadata } from './machine-metadata.ts'
import { machineOf } from './machine-of.ts'
import { machineSelector } from './machine-selector.ts'
import { maxPerMachine } from './max-per-machine.ts'
import { preferred } from './preferred.ts'
import { ready } from './ready.ts'
import { replaces } from './replaces.ts'
import { fewestUnits, leastRequested, resources } from './resources.ts'
import type { Preference, Rule } from './rule.ts'
import { schedulable } from './schedulable.ts'
import { spread, spreadSoftly } from './spread.ts'
import { noExecute, noSchedule, preferNoSchedule } from './taints.ts'

export const RULES: readonly Rule[] = [
  ready,
  schedulable,
  machineId,
  machineMetadata,
  machineSelector,
  noSchedule,
  noExecute,
  machineOf,
  conflicts,
  replaces,
  resources,
  spread,
  maxPerMachine,
]

/** The first decides; the next only among equals. After the last, the machine's name does. */
export const PREFERENCES: readonly Preference[] = [
  preferNoSchedule,
  preferred,
  spreadSoftly,
  leastRequested,
  fewestUnits,
]
