/** Random placement problems, each planned until nothing changes, against rules that are said a second time (oracle.ts). */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Action, plan } from '../../controllers/scheduler/plan.ts'
import { compileGlob } from '../../crds/glob.ts'
import type { Unit } from '../../crds/unit.ts'
import { keeping, type Placement, refuses, refusesAll } from '../unit/controllers/scheduler/oracle.ts'
import {
  machineObject,
  type Problem,
  type ProblemUnit,
  problems,
  unitObject,
} from '../unit/controllers/scheduler/problem.ts'

/** Each round but the last changes something; more would mean that units are moved to and fro. */
const MAX_ROUNDS = 12

/** Every so many problems, the order of the units is turned round: nothing may change. */
const TURNED = 10
let asked = 0

const assumed: ReadonlyMap<string, string> = new Map()

interface Solved {
  readonly placement: Placement
  /** What is said of those on no machine. */
  readonly messages: ReadonlyMap<string, string>
  readonly rounds: number
}

function solve({ machines, units }: Problem): Solved {
  const hosts = machines.map(machineObject)
  let objects = units.map((each) => unitObject(each, machines[each.at ?? -1]?.name ?? ''))
  for (let rounds = 1; ; rounds++) {
    const actions = plan({ machines: hosts, units: objects, assumed })
    if (rounds === 1 && ++asked % TURNED === 0)
      assert.equal(actions.map(brief), plan({ machines: hosts, units: objects.toReversed(), assumed }).map(brief))
    const moves = actions.filter((action) => action.do !== 'explain')
    if (moves.length === 0 || rounds > MAX_ROUNDS) return { ...said(objects, actions), rounds }
    objects = objects.map((object) => after(object, moves))
  }
}

function brief(action: Action): string {
  return `${action.do} ${action.unit.metadata.name} ${action.do === 'explain' ? action.reason : action.machine}`
}

function after(object: Unit, moves: readonly Action[]): Unit {
  const move = moves.find(({ unit }) => unit === object)
  if (!move || move.do === 'explain') return object
  return { ...object, spec: { ...object.spec, machineName: move.do === 'bind' ? move.machine : '' } }
}

function said(objects: readonly Unit[], actions: readonly Action[]): Omit<Solved, 'rounds'> {
  const placed = objects.flatMap(({ metadata, spec }) =>
    spec.machineName ? [[metadata.name, spec.machineName] as const] : [],
  )
  return {
    placement: new Map(placed),
    messages: new Map(actions.map(({ unit, reason }) => [unit.metadata.name, reason])),
  }
}

function machineOf({ machines }: Problem, { name }: ProblemUnit, placement: Placement) {
  return machines.find((machine) => machine.name === placement.get(name))
}

function holdsAll(problem: Problem): void {
  const { placement, messages, rounds } = solve(problem)
  assert.ok(rounds <= MAX_ROUNDS, 'it never comes to rest')
  for (const unit of problem.units) {
    const machine = machineOf(problem, unit, placement)
    if (machine) assert.is(refuses({ ...problem, unit, machine, placement }, keeping), undefined, unit.name)
    else assert.is(messages.get(unit.name), reasonsOf(problem, unit, placement))
  }
  for (const machine of problem.machines) notOversubscribed(problem, machine.name, placement)
}

/** Throws where a machine would take it. */
function reasonsOf(problem: Problem, unit: ProblemUnit, placement: Placement): string {
  const reasons = problem.machines.map((machine) => {
    const reason = refusesAll(problem, unit, machine, placement)
    if (reason === undefined) throw new Error(`${unit.name} is on no machine, and ${machine.name} would take it`)
    return `${machine.name}: ${reason}`
  })
  return `0 of ${reasons.length} machines can take it: ${reasons.join('; ')}`
}

/** What was bound before may be too much already: only what came is judged. */
function notOversubscribed({ machines, units }: Problem, name: string, placement: Placement): void {
  const machine = machines.find((each) => each.name === name)
  const here = units.filter((unit) => placement.get(unit.name) === name)
  const came = here.filter(({ at }) => machines[at ?? -1]?.name !== name)
  const used = here.reduce((sum, { cpu = 0 }) => sum + cpu, 0)
  if (machine && came.some(({ cpu }) => cpu !== undefined)) assert.ok(used <= machine.cpu, `${name}: cpu ${used}`)
  if (machine && came.length > 0) assert.ok(here.length <= machine.units, `${name}: ${here.length} units`)
}

/** Three that replace each other in a ring drive one another on for ever (docs/decisions/0019, Not done). */
function hasRing({ units }: Problem): boolean {
  const over = (a: ProblemUnit, b: ProblemUnit) => a.replaces.some((pattern) => compileGlob(pattern)(b.name))
  const next = (from: ProblemUnit) => units.filter((to) => to !== from && over(from, to) && !over(to, from))
  return units.some((start) => {
    const seen = new Set<ProblemUnit>()
    const open = next(start)
    for (let unit = open.pop(); unit; unit = open.pop()) {
      if (unit === start) return true
      if (!seen.has(unit)) open.push(...next(unit))
      seen.add(unit)
    }
    return false
  })
}

export function placementProblemsSuite(
  name: string,
  { problems: count, seed }: { problems: number; seed: number },
): void {
  const test = suite(name)
  test(`${count} of them: no rule is broken, who waits has to, and hears why`, () => {
    fc.assert(
      fc.property(
        problems.filter((problem) => !hasRing(problem)),
        holdsAll,
      ),
      { numRuns: count, seed, includeErrorInReport: true },
    )
  })
  test.run()
}
