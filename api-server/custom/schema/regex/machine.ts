/**
 * Runs a program in time proportional to program × text, whatever the expression: all alternatives advance together,
 * none is tried again. `test` also remembers sets of places it has been in (a lazy DFA), so usual text costs one look-up
 * a character.
 */
import type { Meter } from '../meter.ts'
import type { Instruction, Program } from './program.ts'
import { isWord, type Place } from './syntax.ts'

/** Remembered sets; beyond that all are forgotten, so memory stays bounded. */
const MAX_REMEMBERED = 500

interface State {
  readonly takes: readonly number[]
  readonly matched: boolean
  readonly matchedAtEnd: boolean
  readonly ascii: (State | undefined)[]
}

export interface Span {
  readonly start: number
  readonly end: number
}

export class Machine {
  readonly #program: Program
  readonly #meter: Meter
  readonly #seen: Int32Array
  #round = 0
  #states = new Map<string, State>()

  constructor(program: Program, meter: Meter) {
    this.#program = program
    this.#meter = meter
    this.#seen = new Int32Array(program.code.length)
  }

  /** Does the expression match anywhere in the text? */
  test(text: string): boolean {
    if (this.#program.looksAhead) return this.find([...text].map(pointOf), 0) !== undefined
    let state = this.#state([this.#program.start], true)
    for (let i = 0; i < text.length; ) {
      if (state.matched) return true
      const point = text.codePointAt(i) ?? 0
      i += point > 0xffff ? 2 : 1
      this.#meter.spend(1)
      state = (point < 128 ? state.ascii[point] : undefined) ?? this.#step(state, point)
    }
    return state.matched || state.matchedAtEnd
  }

  #step(state: State, point: number): State {
    const kernel = this.#advance(state.takes, point)
    kernel.push(this.#program.start)
    this.#meter.spend(state.takes.length)
    const next = this.#state(kernel, false)
    if (point < 128) state.ascii[point] = next
    return next
  }

  #advance(takes: readonly number[], point: number): number[] {
    const kernel: number[] = []
    for (const at of takes) {
      const instruction = this.#program.code[at]
      if (instruction?.do === 'take' && instruction.member(point)) kernel.push(instruction.next)
    }
    return kernel
  }

  #state(kernel: readonly number[], atStart: boolean): State {
    const key = `${atStart ? '^' : ''}${kernel.join()}`
    const known = this.#states.get(key)
    if (known) return known
    const inside = this.#spread(kernel, (place) => place === 'text-start' && atStart)
    const atEnd = this.#spread(kernel, (place) => place === 'text-end' || atStart)
    const state = { ...inside, matchedAtEnd: atEnd.matched, ascii: [] }
    if (this.#states.size >= MAX_REMEMBERED) this.#states = new Map()
    this.#states.set(key, state)
    return state
  }

  /** Follows everything that takes no character, in order of preference. */
  #spread(kernel: readonly number[], holds: (place: Place) => boolean): { takes: number[]; matched: boolean } {
    const takes: number[] = []
    this.#round++
    const pending = [...kernel].reverse()
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (this.#seen[at] === this.#round) continue
      this.#seen[at] = this.#round
      this.#meter.spend(1)
      const instruction = this.#program.code[at] as Instruction
      // What is preferred less than a match is not looked at: that is leftmost-first.
      if (instruction.do === 'match') return { takes, matched: true }
      if (instruction.do === 'take') takes.push(at)
      else if (instruction.do === 'fork') pending.push(instruction.second, instruction.first)
      else if (holds(instruction.place)) pending.push(instruction.next)
    }
    return { takes, matched: false }
  }

  /** The leftmost match at or after `from`, as Perl would choose it. Positions count code points. */
  find(points: readonly number[], from: number): Span | undefined {
    for (let start = from; start <= points.length; start++) {
      const end = this.#matchAt(points, start)
      if (end !== undefined) return { start, end }
    }
    return undefined
  }

  #matchAt(points: readonly number[], start: number): number | undefined {
    let end: number | undefined
    let kernel: readonly number[] = [this.#program.start]
    for (let i = start; kernel.length > 0; i++) {
      const { takes, matched } = this.#spread(kernel, (place) => isAt(place, points, i))
      if (matched) end = i
      const point = points[i]
      if (point === undefined) return end
      kernel = this.#advance(takes, point)
    }
    return end
  }
}

const pointOf = (text: string): number => text.codePointAt(0) ?? 0

function isAt(place: Place, points: readonly number[], at: number): boolean {
  switch (place) {
    case 'text-start':
      return at === 0
    case 'text-end':
      return at === points.length
    case 'line-start':
      return at === 0 || points[at - 1] === 10
    case 'line-end':
      return at === points.length || points[at] === 10
    default:
      return (wordAt(points, at - 1) !== wordAt(points, at)) === (place === 'word-edge')
  }
}

function wordAt(points: readonly number[], at: number): boolean {
  const point = points[at]
  return point !== undefined && isWord(point)
}
