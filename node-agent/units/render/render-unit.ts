/**
 * A Unit object as the files that a manager reads: its content, the drop-ins its author wrote, and those that we
 * generate. Pure: equal units and sources give equal files.
 */
import type { Unit } from '../../../crds/unit.ts'
import { CREDENTIAL_NAME, GENERATED } from '../../../crds/unit-files.ts'
import { unlimitable } from '../../../crds/unit-limits.ts'
import { unitNameOf } from '../bound-units.ts'
import type { DropIn, UnitDriver, UnitFile } from '../driver.ts'
import { limitsDropIn } from '../limits/limits-drop-in.ts'
import { credentialsDropIn } from './credentials-drop-in.ts'
import { environmentDropIn } from './environment-drop-in.ts'
import { execSection } from './sections.ts'
import type { Sources } from './sources.ts'

/** A drop-in that the agent adds of its own accord. Its name must begin with `GENERATED`. */
export interface GeneratedDropIn extends DropIn {
  /** A change of it restarts the unit; else it is installed and counts from the next start. */
  readonly restarts?: boolean
}

/** `sources` must have all that the unit asks for (`missingSources`); what is missing and optional is left out. */
export function renderUnit(unit: Readonly<Unit>, sources: Sources, extra: readonly GeneratedDropIn[] = []): UnitFile {
  const { content, dropIns = [], environment = [], credentials = [] } = unit.spec
  const name = unitNameOf(unit)
  const section = execSection(name) ?? 'Service'
  const all = [
    ...dropIns,
    ...environmentDropIn(section, environment, sources),
    ...credentialsDropIn(section, credentials, sources),
    ...limitsDropIn(name, unit.spec.resources?.limits),
    ...extra,
  ]
  if (all.length === 0) return { name, content }
  return { name, content, dropIns: all.map((dropIn) => ({ name: dropIn.name, content: dropIn.content })) }
}

/** What of the spec cannot be had in such a unit with such a driver, in one sentence; the files are not looked at. */
export function unsupportedFields(unit: Readonly<Unit>, driver: UnitDriver['kind']): string | undefined {
  const { dropIns = [], environment = [], credentials = [] } = unit.spec
  const taken = dropIns.find(({ name }) => name.startsWith(GENERATED))
  if (taken) return `the drop-in ${taken.name} has a name that begins with ${GENERATED}, as only the agent's own may`
  const name = unitNameOf(unit)
  const isLimited = Object.keys(unit.spec.resources?.limits ?? {}).length > 0
  const unlimited = isLimited ? unlimitable(name) : undefined
  if (unlimited) return unlimited
  const odd = credentials.find((credential) => !CREDENTIAL_NAME.test(credential.name))
  if (odd) return `${JSON.stringify(odd.name)} is not the name of a credential: letters, digits, '_', '-' and '.'`
  const field = environment.length > 0 ? 'environment' : credentials.length > 0 ? 'credentials' : undefined
  if (field && execSection(name) === undefined)
    return `spec.${field} is for units that run processes, and ${name} is none`
  if (credentials.length === 0 || driver === 'system') return undefined
  return "spec.credentials needs the machine's own systemd: nobody else can decrypt them, and in plain they are kept nowhere"
}
