/**
 * A Unit object as the files that a manager reads: its content, the drop-ins its author wrote, and those that we
 * generate. Pure: equal units and sources give equal files.
 */
import type { Unit } from '../../../crds/unit.ts'
import { unitNameOf } from '../bound-units.ts'
import type { DropIn, UnitFile } from '../driver.ts'
import { credentialsDropIn } from './credentials-drop-in.ts'
import { environmentDropIn } from './environment-drop-in.ts'
import type { Sources } from './sources.ts'

/** Names of generated drop-ins begin so: they come after those of people, and win. */
export const GENERATED = 'zz-flotilla-'

/** A drop-in that the agent adds of its own accord. Its name must begin with `GENERATED`. */
export interface GeneratedDropIn extends DropIn {
  /** A change of it restarts the unit; else it is installed and counts from the next start. */
  readonly restarts?: boolean
}

/** `sources` must have all that the unit asks for (`missingSources`); what is missing and optional is left out. */
export function renderUnit(unit: Readonly<Unit>, sources: Sources, extra: readonly GeneratedDropIn[] = []): UnitFile {
  const { content, dropIns = [], environment = [], credentials = [] } = unit.spec
  const generated = [
    ...environmentDropIn(environment, sources),
    ...credentialsDropIn(credentials, sources),
    ...extra.map(({ name, content: text }) => ({ name, content: text })),
  ]
  const all = [...dropIns.map(({ name, content: text }) => ({ name, content: text })), ...generated]
  return { name: unitNameOf(unit), content, ...(all.length === 0 ? {} : { dropIns: all }) }
}

/** What is wrong with a unit's own drop-ins, whatever the driver. */
export function reservedDropIn({ spec }: Readonly<Unit>): string | undefined {
  const taken = spec.dropIns?.find(({ name }) => name.startsWith(GENERATED))
  return taken && `the drop-in ${taken.name} has a name that begins with ${GENERATED}: these are the agent's own`
}
