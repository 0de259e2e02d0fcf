/**
 * Whether a history could have come from one copy of the data: is there an order of its operations that keeps to real
 * time (what ended before another began comes first) and explains every answer?
 *
 * Wing and Gong's search with Lowe's memory of configurations seen before, a key at a time: keys are independent, so a
 * history is linearizable exactly when each key's part is. Operations of unknown outcome may be placed anywhere after
 * their start, or nowhere.
 */
import { type Operation, type State, step } from './history.ts'

export interface Violation {
  readonly key: string
  /** The furthest that any order came: these are explained … */
  readonly explained: number
  /** … and none of these, which could have come next, can follow. */
  readonly stuckAt: readonly Operation[]
}

/** The first key's part that has no order, or undefined. Throws when a part is too tangled to search. */
export function findViolation(history: readonly Operation[]): Violation | undefined {
  const byKey = new Map<string, Operation[]>()
  for (const operation of history) {
    const part = byKey.get(operation.key)
    if (part) part.push(operation)
    else byKey.set(operation.key, [operation])
  }
  for (const [key, part] of byKey) {
    const stuck = search(part)
    if (stuck) return { key, ...stuck }
  }
  return undefined
}

/** Configurations; beyond it the search would not end in a test's time. */
const MAX_CONFIGURATIONS = 2_000_000

interface Placed {
  readonly operation: number
  readonly before: State
  /** The next candidate to try when this placing led nowhere. */
  readonly resumeAt: number
}

function search(unsorted: readonly Operation[]): Omit<Violation, 'key'> | undefined {
  const operations = unsorted.toSorted((a, b) => a.startedAt - b.startedAt)
  const open = new OpenOperations(operations)
  const seen = new Set<string>()
  const path: Placed[] = []
  let state: State
  let furthest: Omit<Violation, 'key'> = { explained: -1, stuckAt: [] }
  for (let candidate = open.first; ; ) {
    if (open.allAnsweredPlaced) return undefined
    const operation = operations[candidate]
    if (operation === undefined || operation.startedAt > open.deadline) {
      if (path.length > furthest.explained) furthest = { explained: path.length, stuckAt: open.candidates() }
      const last = path.pop()
      if (last === undefined) return furthest
      open.putBack(last.operation)
      state = last.before
      candidate = last.resumeAt
      continue
    }
    const next = open.after(candidate)
    const result = step(state, operation)
    if (result === 'impossible' || !remember(seen, open, candidate, result.state)) {
      candidate = next
      continue
    }
    path.push({ operation: candidate, before: state, resumeAt: next })
    open.take(candidate)
    state = result.state
    candidate = open.first
  }
}

/** False when the search has been here before: the same operations placed, the same state. */
function remember(seen: Set<string>, open: OpenOperations, candidate: number, state: State): boolean {
  const configuration = `${open.fingerprint(candidate)} ${state ?? ''}`
  if (seen.has(configuration)) return false
  if (seen.size >= MAX_CONFIGURATIONS) throw new Error('the history is too tangled to search: fewer clients a key')
  seen.add(configuration)
  return true
}

/** Which operations are not placed yet, by the order of their start. */
class OpenOperations {
  readonly #operations: readonly Operation[]
  readonly #placed: boolean[]
  /** The same as `#placed`, for fingerprints. */
  readonly #bits: Uint32Array
  #answeredLeft: number
  #first = 0

  constructor(operations: readonly Operation[]) {
    this.#operations = operations
    this.#placed = operations.map(() => false)
    this.#bits = new Uint32Array(Math.ceil(operations.length / 32))
    this.#answeredLeft = operations.filter(isAnswered).length
  }

  /** Nothing is left to explain: what has no answer need not have happened. */
  get allAnsweredPlaced(): boolean {
    return this.#answeredLeft === 0
  }

  get first(): number {
    return this.#first
  }

  after(operation: number): number {
    let next = operation + 1
    while (this.#placed[next]) next++
    return next
  }

  /** Whatever starts later than this comes after an operation that is not placed yet. */
  get deadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (let at = this.#first; at < this.#operations.length; at = this.after(at)) {
      const { startedAt, endedAt } = this.#operations[at] as Operation
      if (startedAt > earliest) break
      earliest = Math.min(earliest, endedAt)
    }
    return earliest
  }

  candidates(): Operation[] {
    const { deadline } = this
    return this.#operations.filter((operation, at) => !this.#placed[at] && operation.startedAt <= deadline)
  }

  take(operation: number): void {
    this.#set(operation, true)
    this.#first = this.after(this.#first - 1)
  }

  putBack(operation: number): void {
    this.#set(operation, false)
    this.#first = Math.min(this.#first, operation)
  }

  /** Names the set of placed operations once `also` is one. */
  fingerprint(also: number): string {
    this.#flip(also)
    const name = this.#bits.slice(this.#first >>> 5).join()
    this.#flip(also)
    return `${this.#first >>> 5}:${name}`
  }

  #flip(operation: number): void {
    this.#bits[operation >>> 5] = (this.#bits[operation >>> 5] ?? 0) ^ (1 << (operation & 31))
  }

  #set(operation: number, placed: boolean): void {
    this.#placed[operation] = placed
    this.#flip(operation)
    if (isAnswered(this.#operations[operation] as Operation)) this.#answeredLeft += placed ? -1 : 1
  }
}

function isAnswered({ outcome }: Operation): boolean {
  return outcome !== 'unknown'
}
