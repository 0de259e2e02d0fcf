/** What becomes of a parent's instances. Pure and total; the same sight always gives the same actions, in the same order. */
import { isDeepStrictEqual } from 'node:util'
import type { Unit } from '../../crds/unit.ts'
import { checkUnitName } from '../../crds/unit-name.ts'
import { INSTANCE_OF, isGlobal, isParent } from '../../crds/unit-set.ts'
import { type Instance, instancesOf, type Spec, withBinding, withoutRoll } from './instances.ts'
import { byKey } from './names.ts'
import { type Report, type Sight, tell } from './report.ts'
import { type Member, maxUnavailableOf, rollOf } from './roll.ts'
import { minReadyMsOf } from './steady.ts'

export interface Observed {
  readonly parent: Readonly<Unit>
  /** Those that it controls, whatever their names. */
  readonly children: readonly Readonly<Unit>[]
  /** Of a Global unit: the machines that it is to be on. */
  readonly machines: readonly string[]
  /** Whether a machine of this name reports. */
  readonly isReachable: (machine: string) => boolean
  /** For how long an instance has done what it is asked to; 0 for one that does not. */
  readonly wellForMs: (child: Readonly<Unit>) => number
  /** Whether a unit of this name is there that is not among `children`. */
  readonly isTaken: (name: string) => boolean
}

export type Labels = Readonly<Record<string, string>>

export type Action =
  | { readonly do: 'delete'; readonly child: Readonly<Unit>; readonly reason: string }
  | (Written & { readonly do: 'create'; readonly name: string })
  | (Written & { readonly do: 'update'; readonly child: Readonly<Unit> })
  | { readonly do: 'report'; readonly report: Report; readonly reason: string }

interface Written {
  readonly spec: Spec
  readonly labels: Labels
  readonly annotations: Labels
  readonly reason: string
}

export function plan(observed: Observed): Action[] {
  const { parent, children, isTaken } = observed
  if (parent.metadata.deletionTimestamp) return []
  const asked = instancesOf(parent, keysOf(observed))
  const invalid = asked.filter(({ name }) => checkUnitName(name) !== undefined)
  const taken = asked.filter(({ name }) => isTaken(name))
  const impossible = new Set([...invalid, ...taken])
  const wanted = asked.filter((each) => !impossible.has(each))
  const byName = new Map(children.map((child) => [child.metadata.name, child]))
  const members = wanted.map((instance): Member => ({ instance, child: byName.get(instance.name) }))
  const maxUnavailable = maxUnavailableOf(parent.spec.maxUnavailable, asked.length)
  const isSteady = (child: Readonly<Unit>): boolean => observed.wellForMs(child) >= minReadyMsOf(parent)
  const roll = rollOf(members, maxUnavailable, { isReachable: observed.isReachable, isSteady })
  const changes = members.flatMap((member) => planMember(parent, member, roll.next.has(member.instance.name)))
  const sight: Sight = { parent, members, roll, desired: asked.length, taken, invalid, isChanging: changes.length > 0 }
  return [
    ...goners(children, wanted),
    ...changes,
    ...tell(sight).map(
      (report): Action => ({ do: 'report', report, reason: report.condition?.message ?? 'is no set' }),
    ),
  ]
}

function keysOf({ parent, machines }: Observed): readonly string[] {
  if (!isParent(parent)) return []
  const { replicas } = parent.spec
  if (!isGlobal(parent.spec)) return Array.from({ length: replicas ?? 0 }, (_, at) => String(at + 1))
  return replicas === undefined ? machines.toSorted(byKey) : []
}

/** The highest numbers first. What has a right name and the wrong one on the machine is made anew: that never changes. */
function goners(children: readonly Readonly<Unit>[], wanted: readonly Instance[]): Action[] {
  const byName = new Map(wanted.map((instance) => [instance.name, instance]))
  return children
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .flatMap((child): Extract<Action, { do: 'delete' }>[] => {
      const instance = byName.get(child.metadata.name)
      if (instance === undefined) return [{ do: 'delete', child, reason: 'no longer asked for' }]
      const isSame = (instance.spec.unitName ?? instance.name) === (child.spec.unitName ?? child.metadata.name)
      return isSame ? [] : [{ do: 'delete', child, reason: 'has another name on its machine' }]
    })
    .toSorted((a, b) => b.child.metadata.name.localeCompare(a.child.metadata.name, 'en', { numeric: true }))
}

/** By instance: the spec of its parent that it was found to be in accord with. Objects are never changed in place. */
const known = new WeakMap<Readonly<Unit>, Readonly<Spec>>()

function planMember(parent: Readonly<Unit>, { instance, child }: Member, isNext: boolean): Action[] {
  const { labels = {}, annotations: asked } = parent.spec.template ?? {}
  const annotations = { ...asked, [INSTANCE_OF]: parent.metadata.name }
  if (child === undefined)
    return [{ do: 'create', name: instance.name, spec: instance.spec, labels, annotations, reason: 'is not there' }]
  const nameHere = child.spec.unitName ?? child.metadata.name
  if (child.metadata.deletionTimestamp || nameHere !== (instance.spec.unitName ?? instance.name)) return []
  if (!isNext && known.get(child) === parent.spec) return []
  const spec = isNext ? withBinding(child.spec, instance.spec) : withoutRoll(child.spec, instance.spec)
  const isRight = isDeepStrictEqual(spec, child.spec) && hasMetadata(child, labels, annotations)
  if (isRight) known.set(child, parent.spec)
  const reason = isNext ? 'its turn to get the newest content' : 'differs from its parent'
  return isRight ? [] : [{ do: 'update', child, spec, labels, annotations, reason }]
}

/** Labels are its parent's alone; others may annotate it. */
function hasMetadata({ metadata }: Readonly<Unit>, labels: Labels, annotations: Labels): boolean {
  const has = metadata.annotations ?? {}
  return (
    isDeepStrictEqual(metadata.labels ?? {}, { ...labels }) &&
    Object.entries(annotations).every(([key, value]) => has[key] === value)
  )
}
