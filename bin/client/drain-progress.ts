/** What of a machine's drain is to be seen: who has left for where, and what holds up the rest. */
import { isApiError } from '../../controllers/lib/api-error.ts'
import { findCondition } from '../../controllers/lib/conditions.ts'
import { DRAINED } from '../../crds/drain.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Condition } from '../../crds/metadata.ts'
import type { Unit } from '../../crds/unit.ts'
import { MACHINES, UNITS } from './flotilla-types.ts'
import { printable } from './paint.ts'
import { listObjects, readObject } from './reading.ts'
import type { Session } from './session.ts'

export interface DrainResult {
  readonly machine: string
  readonly drained: boolean
  readonly message: string
  /** Units that left while we looked, and where they went; '' is nowhere yet. */
  readonly moved: Readonly<Record<string, string>>
  /** Units that are there. */
  readonly left: readonly string[]
}

export interface DrainProgress {
  /** Sees who is there before the drain begins: they may leave faster than one looks. */
  begin(setWish: () => Promise<unknown>): Promise<void>
  /** Says what is new; true when nothing is left to move. */
  look(): Promise<boolean>
  /** As of the last look. */
  result(): DrainResult
}

/** Controllers that are there answer within milliseconds. */
const UNHEARD_MS = 5_000
const UNHEARD = 'no controller has taken it up: see that "flotilla controllers" runs'

export function createDrainProgress(session: Session, name: string, talks: boolean): DrainProgress {
  const { out } = session
  const begunMs = performance.now()
  const moved = new Map<string, string>()
  let here = new Set<string>()
  let isDone = false
  let message = UNHEARD
  let told = ''
  const say = async (text: string): Promise<void> => {
    if (talks) await out.line(printable(text))
  }
  /** Once each: what stands still says so with every look. */
  const sayOnce = async (text: string): Promise<void> => {
    if (text !== told) await say(text)
    told = text
  }
  const tellLeft = async (unit: string): Promise<void> => {
    const found = await placeOf(session, unit)
    moved.set(unit, found ?? '')
    const where = found === undefined ? ': it is gone' : found === '' ? ', for no machine yet' : ` for ${found}`
    await say(`unit/${unit} left ${name}${where}`)
  }
  return {
    begin: async (setWish) => {
      here = await unitsOn(session, name)
      await setWish()
      await say(`machine/${name} cordoned, ${here.size} units on it`)
    },
    look: async () => {
      // The machine first: what it says of its units is then no newer than they are.
      const machine = await readMachine(session, name)
      const before = here
      here = await unitsOn(session, name)
      for (const unit of [...before].filter((each) => !here.has(each)).toSorted()) await tellLeft(unit)
      const said = saidNow(machine)
      if (said) message = said.message
      isDone = said?.status === 'True'
      if (isDone) await say(`machine/${name} drained: ${message}`)
      else if (said?.reason === 'Held') await sayOnce(`waiting: ${message}`)
      else if (message === UNHEARD && performance.now() - begunMs > UNHEARD_MS) await sayOnce(UNHEARD)
      return isDone
    },
    result: () => ({
      ...{ machine: name, drained: isDone, message },
      ...{ moved: Object.fromEntries(moved), left: [...here].toSorted() },
    }),
  }
}

async function readMachine({ api, signal }: Session, name: string): Promise<Readonly<Machine>> {
  return (await readObject(api, MACHINES, name, { signal })) as unknown as Readonly<Machine>
}

/** What is said of the machine as it is now, not of an earlier drain. */
function saidNow({ metadata, status }: Readonly<Machine>): Condition | undefined {
  const said = findCondition(status?.conditions, DRAINED)
  return said?.observedGeneration === metadata.generation ? said : undefined
}

/** Placed there, or still held there. */
async function unitsOn({ api, signal }: Session, machine: string): Promise<Set<string>> {
  const names = new Set<string>()
  for (const path of ['spec.machineName', 'status.machineName']) {
    const { items } = await listObjects(api, UNITS, { fieldSelector: fieldEquals(path, machine), signal })
    for (const { metadata } of items) names.add(metadata.name)
  }
  return names
}

/** Undefined: there is no such unit any more. */
async function placeOf({ api, signal }: Session, name: string): Promise<string | undefined> {
  try {
    const unit = (await readObject(api, UNITS, name, { signal })) as unknown as Readonly<Unit>
    return unit.spec.machineName ?? ''
  } catch (error) {
    if (isApiError(error, 404)) return undefined
    throw error
  }
}
