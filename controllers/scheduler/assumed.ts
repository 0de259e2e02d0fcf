/**
 * Decisions that the informer does not show yet. They keep the loads of the next round right, and a unit with an open
 * decision out of it. An entry goes as soon as the informer shows any version but the one that was decided on: our write
 * was guarded by that version, so whatever came after it is the truth.
 */
import type { Unit } from '../../crds/unit.ts'
import type { Informer } from '../lib/informer.ts'
import type { Action } from './plan.ts'

export interface Assumed {
  /** Unit name → machine, '' for none. */
  readonly machines: ReadonlyMap<string, string>
  add(action: Action): void
  /** The decision was not carried out. */
  drop(unit: string): void
  /** Forgets what the informer shows by now. */
  settle(): void
}

export function createAssumed(units: Pick<Informer<Unit>, 'get'>): Assumed {
  const machines = new Map<string, string>()
  const versions = new Map<string, string | undefined>()
  const drop = (unit: string): void => {
    machines.delete(unit)
    versions.delete(unit)
  }
  return {
    machines,
    add: (action) => {
      const { name, resourceVersion } = action.unit.metadata
      machines.set(name, action.do === 'bind' ? action.machine : action.do === 'unbind' ? '' : boundTo(action.unit))
      versions.set(name, resourceVersion)
    },
    drop,
    settle: () => {
      for (const [name, version] of versions) if (units.get(name)?.metadata.resourceVersion !== version) drop(name)
    },
  }
}

function boundTo({ spec }: Readonly<Unit>): string {
  return spec.machineName ?? ''
}
