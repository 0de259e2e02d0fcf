/**
 * Which instances get the newest content now: as many as may be down, none once one has failed with it. Nothing is
 * remembered: an instance that has its parent's content is one that was updated.
 */
import { MOVED_FROM } from '../../crds/drain.ts'
import type { Unit } from '../../crds/unit.ts'
import { noPlace } from '../drain/sight.ts'
import { failure, isSettled, isUp } from './health.ts'
import { hasNewest, type Instance } from './instances.ts'

export interface Member {
  readonly instance: Instance
  /** Undefined: it is not there yet. */
  readonly child: Readonly<Unit> | undefined
}

export interface Roll {
  /** Names of those that may be given the newest content. */
  readonly next: ReadonlySet<string>
  /** With the newest content and failed, in order. */
  readonly failed: readonly { readonly name: string; readonly because: string }[]
  /** That have to settle before more may go down, in order. */
  readonly unsettled: readonly string[]
  /** With older content on machines that do not report: they hold up nobody, and get it once they are back. */
  readonly unreachable: readonly string[]
  readonly updated: number
  readonly maxUnavailable: number
}

type State = 'unplaced' | 'unreachable' | 'down' | 'up' | 'unsettled' | 'done'

export interface Judges {
  /** Whether a machine of this name reports. */
  readonly isReachable: (machine: string) => boolean
  /** Whether an instance has been well for long enough. */
  readonly isSteady: (child: Readonly<Unit>) => boolean
}

export function rollOf(members: readonly Member[], maxUnavailable: number, judges: Judges): Roll {
  const isRolling = members.some((member) => !isNewest(member))
  const isSteady = (child: Readonly<Unit>): boolean => !isRolling || judges.isSteady(child)
  const states = members.map((member) => stateOf(member, { ...judges, isSteady }))
  const named = (state: State) => members.flatMap(({ instance }, at) => (states[at] === state ? instance.name : []))
  const [up, down, unsettled] = [named('up'), named('down'), named('unsettled')]
  const failed = members.flatMap((member) => failureOf(member) ?? [])
  const free = Math.max(0, maxUnavailable - down.length - unsettled.length)
  // What is on no machine may be there for long: it comes last, so that it holds up nobody.
  const last = up.length + down.length === 0 ? named('unplaced') : []
  const next = failed.length > 0 || maxUnavailable === 0 ? [] : [...down, ...up.slice(0, free), ...last]
  const updated = members.filter(isNewest).length
  return { next: new Set(next), failed, unsettled, unreachable: named('unreachable'), updated, maxUnavailable }
}

function stateOf({ instance, child }: Member, { isReachable, isSteady }: Judges): State {
  if (child === undefined || child.metadata.deletionTimestamp) return 'unsettled'
  if (hasNewest(child.spec, instance.spec)) return isSettled(child) && isSteady(child) ? 'done' : 'unsettled'
  if (child.spec.desiredState === 'inactive' || isMoving(child)) return 'down'
  if (!child.spec.machineName) return 'unplaced'
  if (!isReachable(child.spec.machineName)) return 'unreachable'
  return isUp(child) ? 'up' : 'down'
}

/** A drain has taken it off its machine: whatever was said of it there, it is down until it is well elsewhere. */
function isMoving(child: Readonly<Unit>): boolean {
  return child.metadata.annotations?.[MOVED_FROM] !== undefined && noPlace(child) === undefined
}

function isNewest({ instance, child }: Member): boolean {
  return child !== undefined && !child.metadata.deletionTimestamp && hasNewest(child.spec, instance.spec)
}

function failureOf(member: Member) {
  const because = member.child && isNewest(member) ? failure(member.child) : undefined
  return because === undefined ? undefined : { name: member.instance.name, because }
}

/** A share is rounded down, but is never less than one; 0 holds the roll. */
export function maxUnavailableOf(asked: number | string | undefined, desired: number): number {
  if (typeof asked !== 'string') return asked ?? 1
  const percent = Number.parseInt(asked, 10)
  return percent === 0 ? 0 : Math.max(1, Math.floor((desired * percent) / 100))
}
