/** Why a unit does or does not run: the first thing on its way that is not as it should be. Pure. */
import { findCondition } from '../../controllers/lib/conditions.ts'
import type { Diagnosis } from '../../controllers/scheduler/diagnose.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Condition } from '../../crds/metadata.ts'
import type { Unit } from '../../crds/unit.ts'
import { isTemplate } from '../../crds/unit-name.ts'
import { isParent } from '../../crds/unit-set.ts'
import { type Explanation, splitReasons } from './explanation.ts'
import { changesOf } from './why-changes.ts'
import { machinesSay } from './why-placement.ts'

export interface UnitSight {
  readonly unit: Readonly<Unit>
  /** The one it is bound to; undefined when it is bound to none, or that one does not exist. */
  readonly machine: Readonly<Machine> | undefined
  /** What each machine says to it; only of one that is on none. */
  readonly diagnosis?: Diagnosis | undefined
  readonly now: Date
}

type Step = (sight: UnitSight) => Explanation | undefined

/** A unit's way: wanted, placed, its machine there, taken, accepted, started. */
const STEPS: readonly Step[] = [deleted, notWanted, parent, notPlaced, machineGone, machineNotReady, notTaken, state]
/** How long an agent or scheduler may take before its silence is worth a word. */
const PATIENCE_MS = 10_000

export function whyUnit(sight: UnitSight): Explanation {
  for (const step of STEPS) {
    const found = step(sight)
    if (found) return withSupport(found, sight.unit)
  }
  return { verdict: 'its agent has not reported yet', tone: 'warn', because: [], next: [again(sight)] }
}

function deleted({ unit }: UnitSight): Explanation | undefined {
  const { deletionTimestamp, finalizers = [] } = unit.metadata
  if (!deletionTimestamp) return undefined
  const because = finalizers.map((finalizer) => `held by the finalizer ${finalizer}`)
  return { verdict: `is being deleted since ${deletionTimestamp}`, tone: 'warn', because, next: [] }
}

function notWanted({ unit }: UnitSight): Explanation | undefined {
  const { name } = unit.metadata
  if (unit.spec.desiredState !== 'inactive' || unit.status?.machineName) return undefined
  if (isTemplate(unit.spec.unitName ?? name))
    return {
      verdict: 'does not run: it is a template',
      tone: 'warn',
      because: ['a template is there to be instantiated, it never runs itself'],
      next: [`give it spec.replicas, or apply instances such as ${name.replace('@.', '@1.')}`],
    }
  return {
    verdict: 'does not run: nobody wants it to',
    tone: 'warn',
    because: ['spec.desiredState is inactive'],
    next: ['set spec.desiredState to launched and apply it'],
  }
}

function parent({ unit }: UnitSight): Explanation | undefined {
  const { readyReplicas = 0, desiredReplicas = unit.spec.replicas } = unit.status ?? {}
  if (!isParent(unit) || desiredReplicas === undefined) return undefined
  const progressing = findCondition(unit.status?.conditions, 'Progressing')
  const isStuck = progressing?.status === 'False'
  const isWell = readyReplicas >= desiredReplicas && !isStuck
  return {
    verdict: `${readyReplicas} of ${desiredReplicas} instances run`,
    tone: isWell ? 'good' : 'warn',
    because: ['its instances are units of their own', ...(progressing && !isWell ? [progressing.message] : [])],
    next: isWell ? [] : ['flotilla get units', 'flotilla why unit/INSTANCE'],
  }
}

function scheduledOf(unit: Readonly<Unit>): Condition | undefined {
  return findCondition(unit.status?.conditions, 'Scheduled')
}

function notPlaced(sight: UnitSight): Explanation | undefined {
  const { unit, now } = sight
  if (unit.spec.machineName) return undefined
  const scheduled = scheduledOf(unit)
  const verdict = 'does not run: it is on no machine'
  const asked = sight.diagnosis && machinesSay(sight.diagnosis)
  if (asked && (scheduled || asked.isRefused)) return { verdict, tone: 'bad', because: asked.because, next: asked.next }
  if (scheduled?.status === 'False')
    return { verdict, tone: 'bad', because: splitReasons(scheduled.message), next: nextForPlacement(scheduled) }
  if (olderThan(unit.metadata.creationTimestamp, now, PATIENCE_MS))
    return {
      verdict,
      tone: 'bad',
      because: ['the scheduler has said nothing about it'],
      next: ['see whether "flotilla up" or "flotilla controllers" runs'],
    }
  return { verdict, tone: 'warn', because: ['the scheduler has not looked at it yet'], next: [again(sight)] }
}

function nextForPlacement({ reason, message }: Condition): string[] {
  if (reason === 'NoMachines') return ['start an agent: "flotilla up", or "flotilla agent" on a machine']
  const [machine] = /[a-z0-9][-a-z0-9.]*(?=: not ready)/.exec(message) ?? []
  return machine === undefined ? ['flotilla get machines -o wide'] : [`flotilla why machine/${machine}`]
}

function machineGone({ unit, machine }: UnitSight): Explanation | undefined {
  const { machineName } = unit.spec
  if (!machineName || machine) return undefined
  return {
    verdict: `does not run: its machine ${machineName} does not exist`,
    tone: 'bad',
    because: [`spec.machineName is ${machineName}, and no Machine has that name`],
    next: ['flotilla get machines', 'take spec.machineName out, and the scheduler chooses one'],
  }
}

function machineNotReady({ unit, machine }: UnitSight): Explanation | undefined {
  const ready = findCondition(machine?.status?.conditions, 'Ready')
  if (!machine || ready?.status === 'True') return undefined
  const { name } = machine.metadata
  return {
    verdict: `nobody knows whether it runs: its machine ${name} is not ready`,
    tone: 'bad',
    because: [
      ready ? `${ready.reason}: ${ready.message}` : `the agent of ${name} has not reported yet`,
      `its failover is ${unit.spec.failover}: ${FAILOVER[unit.spec.failover]}`,
    ],
    next: [`flotilla why machine/${name}`],
  }
}

const FAILOVER: Readonly<Record<Unit['spec']['failover'], string>> = {
  reschedule: 'it is started elsewhere once the machine counts as lost',
  exclusive: 'it is moved only where it can never run twice',
  none: 'it stays with its machine',
}

function notTaken(sight: UnitSight): Explanation | undefined {
  const { unit } = sight
  const { machineName: wanted } = unit.spec
  const holder = unit.status?.machineName
  if (holder === wanted) return undefined
  const because = holder
    ? [`${holder} still holds it and has to stop it first`]
    : [`${wanted} was chosen, its agent has not taken the unit yet`]
  return { verdict: `does not run yet: it is on its way to ${wanted}`, tone: 'warn', because, next: [again(sight)] }
}

function state(sight: UnitSight): Explanation | undefined {
  const { unit } = sight
  const active = findCondition(unit.status?.conditions, 'Active')
  if (!active) return undefined
  const where = unit.status?.machineName ?? unit.spec.machineName
  const because = [`${active.reason}: ${active.message}`, ...systemdWords(unit), ...changesOf(unit, sight.now)]
  const kind = VERDICTS[active.reason] ?? { tone: active.status === 'True' ? 'good' : 'bad', text: 'does not run' }
  return { verdict: `${kind.text} on ${where}`, tone: kind.tone, because, next: nextFor(active.reason, sight) }
}

const VERDICTS: Readonly<Record<string, { readonly tone: Explanation['tone']; readonly text: string }>> = {
  Running: { tone: 'good', text: 'runs' },
  Completed: { tone: 'good', text: 'has done its work' },
  Starting: { tone: 'warn', text: 'is being started' },
  Failed: { tone: 'bad', text: 'has failed' },
  Refused: { tone: 'bad', text: 'was refused by systemd' },
  Stopped: { tone: 'warn', text: 'is stopped' },
  NotSupported: { tone: 'bad', text: 'asks for what cannot be done' },
}

function systemdWords({ status }: Readonly<Unit>): string[] {
  const { loadState, activeState, subState, result, restarts = 0, exitStatus = 0 } = status?.systemd ?? {}
  if (activeState === undefined) return []
  const words = [`systemd: ${loadState}, ${activeState} (${subState})`]
  if (result && result !== 'success') words.push(`result ${result}`)
  if (exitStatus > 0) words.push(`exit status ${exitStatus}`)
  if (restarts > 0) words.push(`${restarts} automatic restart${restarts > 1 ? 's' : ''}`)
  return [words.join(', ')]
}

function nextFor(reason: string, { unit }: UnitSight): string[] {
  const { name } = unit.metadata
  const machine = unit.status?.machineName ?? unit.spec.machineName
  switch (reason) {
    case 'Failed':
      return [`flotilla journal ${name} -n 50`, `flotilla get unit ${name} -o yaml`]
    case 'Starting':
      return [`flotilla journal -f ${name}`]
    case 'Refused':
      return [`correct spec.content and apply it again`, `flotilla get unit ${name} -o yaml`]
    case 'NotSupported':
      return ['leave out the option it names, or run the unit on a machine with systemd']
    case 'Stopped':
      return unit.spec.desiredState === 'loaded'
        ? ['set spec.desiredState to launched and apply it']
        : [`flotilla exec ${machine} -- systemctl status ${unit.spec.unitName ?? name}`]
    default:
      return []
  }
}

function withSupport(explanation: Explanation, unit: Readonly<Unit>): Explanation {
  const support = findCondition(unit.status?.conditions, 'PlacementSupported')
  if (support?.status !== 'False' || explanation.because.includes(support.message)) return explanation
  return { ...explanation, because: [...explanation.because, support.message] }
}

function again({ unit }: UnitSight): string {
  return `flotilla watch unit/${unit.metadata.name}`
}

function olderThan(timestamp: string | null | undefined, now: Date, ageMs: number): boolean {
  return now.getTime() - Date.parse(timestamp ?? '') > ageMs
}
