/**
 * Plans round after round over a world that is kept: it is fed with what changed, and a round costs what there is to do.
 * A decision counts as done, and its unit is left alone, until the unit is shown in any version but the one that was
 * decided on: our write is guarded by that version, so whatever came after it is the truth.
 */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { findCondition, type NewCondition, saysAlready } from '../lib/conditions.ts'
import { type Ask, askAgain, askOf } from './ask.ts'
import { SCHEDULED } from './conditions.ts'
import { driftOf } from './drift.ts'
import { isAtEase } from './evict.ts'
import { isHeldToRules, type Need, needOf } from './need.ts'
import { isWanted } from './observed.ts'
import { createRefusals } from './refused.ts'
import { type Action, planRound, type Round } from './round.ts'
import { createWorld, type MutableWorld } from './world.ts'

export interface Planner {
  putMachine(machine: Readonly<Machine>): void
  dropMachine(name: string): void
  putUnit(unit: Readonly<Unit>): void
  dropUnit(name: string): void
  /** The unit is, or is about to be, on this machine, whatever it says itself; '' for none. */
  assume(name: string, machine: string): void
  /** The decision about it was not carried out. */
  disown(name: string): void
  setTime(nowMs: number, wallMs: number): void
  /** Something came that may lead to another answer than the last. */
  readonly isDue: boolean
  /** When the passing of time may; Infinity: never. */
  readonly dueAtMs: number
  /** At most one action a unit, sorted by unit name. */
  plan(mayReword?: Round['mayReword']): Action[]
  /** What of it is not as it would be if it were made anew of these; undefined: nothing. */
  drift(machines: readonly Readonly<Machine>[], units: readonly Readonly<Unit>[]): string | undefined
}

/** A decision that is not shown yet. */
interface Open {
  readonly machine: string
  /** Of the unit when it was decided. */
  readonly version: string | undefined
  readonly said: readonly NewCondition[] | undefined
  /** How much had changed until then. */
  readonly changes: number
}

interface Entry {
  unit: Readonly<Unit>
  ask: Ask | undefined
  open: Open | undefined
  /** The machine it is bound to, where that does not exist. */
  lost: string
}

interface State {
  readonly world: MutableWorld
  readonly entries: Map<string, Entry>
  readonly needs: Readonly<Record<Need, Map<string, Readonly<Unit>>>>
  /** Who would be on a machine that does not exist, by its name. */
  readonly lost: Map<string, Set<string>>
  isDue: boolean
  /** Grows with whatever makes a round due. */
  changes: number
}

export function createPlanner(): Planner {
  const world = createWorld()
  const refusals = createRefusals(world)
  const needs = { place: new Map(), unbind: new Map(), explain: new Map() }
  const state: State = { world, needs, entries: new Map(), lost: new Map(), isDue: true, changes: 0 }
  return {
    putMachine: (machine) => {
      if (world.setMachine(machine)) due(state)
      settleAll(state, state.lost.get(machine.metadata.name))
    },
    dropMachine: (name) => {
      due(state)
      settleAll(state, world.dropMachine(name))
    },
    putUnit: (unit) => putUnit(state, unit),
    dropUnit: (name) => dropUnit(state, name),
    assume: (name, machine) => open(state, name, machine),
    disown: (name) => disown(state, name),
    setTime: (nowMs, wallMs) => {
      if (world.setTime(nowMs, wallMs)) due(state)
    },
    get isDue() {
      return state.isDue
    },
    get dueAtMs() {
      return world.dueAtMs
    },
    plan: (mayReword = () => true) => {
      const [pending, unbinding, unexplained] = [listed(needs.place), listed(needs.unbind), listed(needs.explain)]
      const heldUnit = (name: string) => heldUnitNamed(state, name)
      const actions = planRound({ pending, unbinding, unexplained, heldUnit, mayReword, world, refusals })
      for (const action of actions)
        open(
          state,
          action.unit.metadata.name,
          targetOf(action),
          action.do === 'explain' ? action.conditions : undefined,
        )
      // What came may drive out what is there (Replaces), and changes what those hear who waited before it came.
      state.isDue = [...world.suspects].some(heldUnit)
      if (actions.some(isMove) && (needs.place.size > 0 || !actions.every(isMove))) due(state)
      return actions
    },
    drift: (machines, units) => {
      const { entries } = state
      const kept = { hosts: world.hosts, hostOf: world.hostOf, size: entries.size }
      return driftOf({ ...kept, unitNamed: (name) => entries.get(name) }, machines, units)
    },
  }
}

function due(state: State): void {
  state.isDue = true
  state.changes++
}

function listed(units: ReadonlyMap<string, Readonly<Unit>>): Readonly<Unit>[] {
  return [...units.values()]
}

function isMove(action: Action): boolean {
  return action.do !== 'explain'
}

function targetOf(action: Action): string {
  if (action.do === 'bind') return action.machine
  return action.do === 'unbind' ? '' : (action.unit.spec.machineName ?? '')
}

function heldUnitNamed({ entries, world }: State, name: string): Readonly<Unit> | undefined {
  const entry = entries.get(name)
  return entry?.ask && !entry.open && world.hostOf(entry.ask) && isHeldToRules(entry.unit) ? entry.unit : undefined
}

function putUnit(state: State, unit: Readonly<Unit>): void {
  const { name, resourceVersion } = unit.metadata
  const known = state.entries.get(name)
  const before = known?.unit
  const entry: Entry = known ?? { unit, ask: undefined, open: undefined, lost: '' }
  state.entries.set(name, entry)
  entry.unit = unit
  if (entry.open && entry.open.version !== resourceVersion) close(state, name, entry)
  else if (before && needOf(unit) === 'place' && !tellsTheSame(unit, before)) due(state)
  if (isHeldToRules(unit) && !(before && isHeldToRules(before))) state.world.suspects.add(name)
  if (needOf(unit) !== (before && needOf(before))) due(state)
  const ask = before ? askAgain(unit, before) : askOf(unit)
  setAsk(state, entry, isWanted(unit) ? ask : undefined)
  settle(state, name, entry)
  file(state, name, entry)
}

/** Somebody else may have taken away what it was told. */
function tellsTheSame({ status }: Readonly<Unit>, { status: before }: Readonly<Unit>): boolean {
  const told = findCondition(before?.conditions, SCHEDULED)
  return told ? saysAlready(status?.conditions, told) : findCondition(status?.conditions, SCHEDULED) === undefined
}

function dropUnit(state: State, name: string): void {
  const entry = state.entries.get(name)
  if (!entry) return
  state.entries.delete(name)
  setAsk(state, entry, undefined)
  lose(state, name, entry, '')
  file(state, name, undefined)
  due(state)
}

function open(state: State, name: string, machine: string, said?: readonly NewCondition[]): void {
  const entry = state.entries.get(name)
  if (!entry) return
  entry.open = { machine, said, version: entry.unit.metadata.resourceVersion, changes: state.changes }
  settle(state, name, entry)
  file(state, name, entry)
}

/** It was left alone meanwhile. */
function close(state: State, name: string, entry: Entry): void {
  const { ask, unit, open: closed } = entry
  const host = ask && state.world.hostOf(ask)
  if (host && !isAtEase(ask, host, state.world)) {
    state.world.suspects.add(name)
    due(state)
  }
  // Of what was told, and nothing happened since, there is nothing to be found out.
  const isTold = closed?.said?.every((each) => saysAlready(unit.status?.conditions, each)) ?? false
  if (needOf(unit) !== undefined && !(isTold && closed?.changes === state.changes)) due(state)
  entry.open = undefined
}

function disown(state: State, name: string): void {
  const entry = state.entries.get(name)
  if (!entry?.open) return
  close(state, name, entry)
  due(state)
  settle(state, name, entry)
  file(state, name, entry)
}

function setAsk(state: State, entry: Entry, wanted: Ask | undefined): void {
  if (entry.ask === wanted) return
  if (entry.ask) state.world.dropAsk(entry.ask)
  if (wanted) state.world.addAsk(wanted)
  entry.ask = wanted
  due(state)
}

function settleAll(state: State, names: Iterable<string> = []): void {
  for (const name of [...names]) {
    const entry = state.entries.get(name)
    if (entry) settle(state, name, entry)
  }
}

/** Puts it where it is to be in the world. */
function settle(state: State, name: string, entry: Entry): void {
  const { world } = state
  const machine = entry.ask ? (entry.open?.machine ?? entry.unit.spec.machineName ?? '') : ''
  const host = world.hostNamed(machine)
  lose(state, name, entry, host ? '' : machine)
  if (!entry.ask || world.hostOf(entry.ask) === host) return
  world.remove(entry.ask)
  if (host) world.place(entry.ask, host)
  due(state)
}

function lose({ lost }: State, name: string, entry: Entry, machine: string): void {
  if (entry.lost === machine) return
  const before = lost.get(entry.lost)
  before?.delete(name)
  if (before?.size === 0) lost.delete(entry.lost)
  if (machine !== '') lost.set(machine, (lost.get(machine) ?? new Set()).add(name))
  entry.lost = machine
}

function file({ needs }: State, name: string, entry: Entry | undefined): void {
  const need = entry && !entry.open ? needOf(entry.unit) : undefined
  for (const each of ['place', 'unbind', 'explain'] as const) {
    if (entry && each === need) needs[each].set(name, entry.unit)
    else needs[each].delete(name)
  }
}
