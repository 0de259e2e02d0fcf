/** What is known of a service: what `observe` shows, and what the next agent needs to take it over. */
import type { Result } from './exit-set.ts'

export interface LifeState {
  readonly activeState: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating'
  readonly subState: string
  readonly result: Result
  readonly exitStatus: number
  readonly mainPID: number
  /** With mainPID names one process for good; 0 when there is none. */
  readonly mainStartTicks: number
  readonly restarts: number
  readonly activeEnterTimestampUs: number
  /** Id of the newest start; written down before its first process exists. */
  readonly invocation: string
  /** Why it is as it is, in words; '' when all is well. */
  readonly detail: string
}

export const NEVER_STARTED: LifeState = {
  activeState: 'inactive',
  subState: 'dead',
  result: 'success',
  exitStatus: 0,
  mainPID: 0,
  mainStartTicks: 0,
  restarts: 0,
  activeEnterTimestampUs: 0,
  invocation: '',
  detail: '',
}

export interface Ending {
  readonly result: Result
  readonly exitStatus: number
  readonly detail: string
  /** RestartPreventExitStatus= or RestartForceExitStatus= has decided. */
  readonly forcedRestart?: boolean
}

export const WELL: Ending = { result: 'success', exitStatus: 0, detail: '' }
