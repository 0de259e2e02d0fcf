/**
 * What a Unit's status says about it, from what was seen: pure, so that the same sight never makes two writes.
 * The Active condition's reasons are a contract: scripts wait on them.
 */
import { isRunning } from './active-state.ts'
import type { ObservedUnit } from './driver.ts'
import type { UnitRecord, Wanted } from './plan.ts'
import { describeJobResult } from './unit-result.ts'

export type ActiveReason =
  | 'Running'
  | 'Completed'
  | 'Starting'
  | 'Failed'
  | 'Refused'
  | 'Stopped'
  | 'NotSupported'
  | 'ConfigMissing'

export interface ActiveVerdict {
  readonly status: 'True' | 'False'
  readonly reason: ActiveReason
  readonly message: string
}

export interface Sight {
  readonly unit: Wanted
  readonly observed: ObservedUnit | undefined
  readonly record: UnitRecord | undefined
  readonly installedHash: string | undefined
  /** The manager's words when it would not take the unit. */
  readonly refusal: string | undefined
  /** Name of the older Unit that has this unit's name on this machine. */
  readonly takenBy: string | undefined
}

export interface SystemdState {
  readonly loadState: string
  readonly activeState: string
  readonly subState: string
  readonly result: string
  readonly mainPID: number
  readonly restarts: number
  readonly exitStatus: number
}

export interface UnitReport {
  readonly currentState: 'inactive' | 'loaded' | 'launched'
  readonly systemd: SystemdState | undefined
  /** Of the content that the machine has; undefined when it has none. */
  readonly hash: string | undefined
  readonly active: ActiveVerdict
  /** Of the spec that all this is about. */
  readonly generation: number | undefined
  /** The manager may know more than the verdict says. */
  readonly worthExplaining: boolean
}

const BAD_LOAD_STATES = new Set(['not-found', 'bad-setting', 'error', 'masked'])

export function report(sight: Sight): UnitReport {
  const isHere = sight.installedHash !== undefined && sight.takenBy === undefined
  const active = verdict(sight, isHere)
  return {
    currentState: isHere ? (sight.record?.started ? 'launched' : 'loaded') : 'inactive',
    systemd: isHere && sight.observed ? systemdState(sight.observed) : undefined,
    hash: isHere ? sight.installedHash : undefined,
    active,
    generation: sight.unit.generation,
    worthExplaining: active.reason === 'Failed' || (active.reason === 'Refused' && sight.takenBy === undefined),
  }
}

function verdict(sight: Sight, isHere: boolean): ActiveVerdict {
  const { unit, observed, refusal, takenBy } = sight
  if (unit.unsupported !== undefined) return no('NotSupported', unit.unsupported)
  if (takenBy !== undefined) return no('Refused', `the name ${unit.unitName} belongs to the older Unit ${takenBy} here`)
  if (refusal !== undefined) return no('Refused', goesOn(refusal, sight))
  if (waits(sight)) return no('ConfigMissing', missingText(sight))
  if (!isHere || observed === undefined) return no('Stopped', isHere ? 'not running' : 'not installed yet')
  if (BAD_LOAD_STATES.has(observed.loadState)) return no('Refused', `the unit file is ${observed.loadState}`)
  return byActiveState(observed, sight)
}

/** What was started before with the same spec goes on, and says so itself. */
function waits({ unit, record, observed }: Sight): boolean {
  if (unit.missing === undefined || unit.missing.isPending) return false
  return record?.hash !== unit.hash || !record.started || !isRunning(observed)
}

function missingText(sight: Sight): string {
  return goesOn(sight.unit.missing?.message ?? '', sight)
}

/** What cannot be had does not end what is there. */
function goesOn(text: string, { observed }: Sight): string {
  if (observed === undefined || !isRunning(observed)) return text
  const process = observed.mainPID > 0 ? ` as process ${observed.mainPID}` : ''
  return `${text.replace(/\.$/, '')}; until then it runs on as it was${process}`
}

function byActiveState(seen: ObservedUnit, sight: Sight): ActiveVerdict {
  switch (seen.activeState) {
    case 'active':
      return seen.subState === 'exited' ? yes('Completed', 'finished with success, kept active') : running(seen)
    case 'reloading':
    case 'refreshing':
      return running(seen)
    case 'activating':
      return no('Starting', seen.subState === 'auto-restart' ? restarting(seen) : `starting (${seen.subState})`)
    case 'deactivating':
      return no('Stopped', `stopping (${seen.subState})`)
    case 'failed':
      return no('Failed', `failed: ${seen.result}${exitText(seen)}`)
    default:
      return atRest(seen, sight)
  }
}

function running(seen: ObservedUnit): ActiveVerdict {
  if (seen.mainPID > 0) return yes('Running', `running as process ${seen.mainPID}`)
  // A busy mount that was to be replaced stays as it is.
  return yes('Running', isWell(seen) ? seen.subState : `${seen.subState}; its last change failed: ${seen.result}`)
}

function isWell({ result }: ObservedUnit): boolean {
  return result === 'success' || result === ''
}

/** A service that ended well is done; a socket, timer or target that is inactive was stopped by somebody. */
function atRest(seen: ObservedUnit, { unit, record }: Sight): ActiveVerdict {
  if (unit.desired === 'loaded') return no('Stopped', 'loaded, not started')
  if (!record?.started) return no('Stopped', 'not started yet')
  if (seen.jobResult !== undefined) return no('Failed', describeJobResult(seen.jobResult))
  if (unit.unitName.endsWith('.service') && isWell(seen)) return no('Completed', 'finished with success')
  return no('Stopped', isWell(seen) ? 'stopped on the machine' : `not started: ${seen.result}`)
}

function restarting(seen: ObservedUnit): string {
  return `waiting for its restart ${seen.restarts + 1}: ${seen.result}${exitText(seen)}`
}

function exitText(seen: ObservedUnit): string {
  return seen.exitStatus === 0 ? '' : `, exit status ${seen.exitStatus}`
}

function yes(reason: ActiveReason, message: string): ActiveVerdict {
  return { status: 'True', reason, message }
}

function no(reason: ActiveReason, message: string): ActiveVerdict {
  return { status: 'False', reason, message }
}

function systemdState(seen: ObservedUnit): SystemdState {
  const { loadState, activeState, subState, result, mainPID, restarts, exitStatus } = seen
  return { loadState, activeState, subState, result, mainPID, restarts, exitStatus }
}

export interface Happening {
  readonly type: 'Normal' | 'Warning'
  readonly reason: 'Started' | 'Stopped' | 'UnitFailed' | 'UnitRefused' | 'NotSupported' | 'ConfigMissing'
}

const HAPPENINGS: Readonly<Record<ActiveReason, Happening | undefined>> = {
  Running: { type: 'Normal', reason: 'Started' },
  Completed: undefined,
  Starting: undefined,
  Failed: { type: 'Warning', reason: 'UnitFailed' },
  Refused: { type: 'Warning', reason: 'UnitRefused' },
  Stopped: { type: 'Normal', reason: 'Stopped' },
  NotSupported: { type: 'Warning', reason: 'NotSupported' },
  ConfigMissing: { type: 'Warning', reason: 'ConfigMissing' },
}

/** The Event that a change of the Active reason is worth; a unit that never ran has not stopped. */
export function happening(before: string | undefined, after: ActiveReason): Happening | undefined {
  if (before === after) return undefined
  if (after === 'Stopped' && before !== 'Running') return undefined
  return HAPPENINGS[after]
}
