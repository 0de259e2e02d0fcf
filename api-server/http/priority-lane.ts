/**
 * A lane holds a number of seats. A request takes some while it is worked on; when there are none, it waits in its
 * user's queue, and users get their turns one after another, however many requests each has waiting. A queue that is
 * full refuses, so nothing here grows without bound.
 *
 * Seats stand for work, not for patience: whoever takes long to read their answer gives the seats back early. And seats
 * that are given back are free only in the next turn of the event loop, because requests that never wait for anything
 * would otherwise follow each other within one, and nobody else would be heard.
 */
import { tooManyRequests } from '../registry/errors.ts'

export interface LaneOptions {
  readonly seats: number
  /** Of one user at a time, so that another always finds some. */
  readonly seatsPerUser: number
  readonly queuePerUser: number
  readonly queueTotal: number
  /** Whoever has waited so long is refused. */
  readonly waitMs: number
  /** Seats held for longer are given to others, while the request goes on. */
  readonly holdMs: number
}

export interface Turn {
  /** Called at once where there is room, else later. */
  start(): void
  /** Called with a 429 instead of `start`. */
  refuse(error: Error): void
}

const CHECK_EVERY_MS = 250

/** One request's place; to be released whatever became of the request. Releasing again does nothing. */
export class Ticket {
  readonly user: string
  /** How much work it is, in seats. */
  readonly seats: number
  readonly turn: Turn
  readonly #lane: { release(ticket: Ticket): void }
  state: 'waiting' | 'seated' | 'overdue' | 'gone' = 'waiting'
  sinceMs = 0

  constructor(lane: { release(ticket: Ticket): void }, user: string, seats: number, turn: Turn) {
    this.#lane = lane
    this.user = user
    this.seats = seats
    this.turn = turn
  }

  release(): void {
    if (this.state !== 'gone') this.#lane.release(this)
  }
}

export class Lane {
  readonly #options: LaneOptions
  /** Only those who wait for their turn, in the order of turns. */
  readonly #queues = new Map<string, Ticket[]>()
  readonly #seated = new Set<Ticket>()
  readonly #seatsOf = new Map<string, number>()
  #taken = 0
  #overdue = 0
  #waiting = 0
  #timer: NodeJS.Timeout | undefined
  /** Released in this turn. */
  #leaving: Ticket[] = []
  rejected = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get seatsTaken(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Before it returns, `turn` may have started or been refused. */
  enter(user: string, seats: number, turn: Turn): Ticket {
    const ticket = new Ticket(this, user, seats, turn)
    if (this.#waiting === 0 && this.#fits(ticket)) this.#seat(ticket)
    else this.#enqueue(ticket)
    return ticket
  }

  #fits({ user, seats }: Ticket): boolean {
    return (this.#taken === 0 || this.#taken + seats <= this.#options.seats) && this.#isWithinShare(user, seats)
  }

  #isWithinShare(user: string, seats: number): boolean {
    const own = this.#seatsOf.get(user) ?? 0
    return own === 0 || own + seats <= this.#options.seatsPerUser
  }

  #seat(ticket: Ticket): void {
    const { user, seats } = ticket
    ticket.state = 'seated'
    ticket.sinceMs = performance.now()
    this.#taken += seats
    this.#seatsOf.set(user, (this.#seatsOf.get(user) ?? 0) + seats)
    this.#seated.add(ticket)
    ticket.turn.start()
  }

  #enqueue(ticket: Ticket): void {
    const { user } = ticket
    const queue = this.#queues.get(user) ?? []
    if (queue.length >= this.#options.queuePerUser || this.#waiting >= this.#options.queueTotal) {
      this.#refuse(ticket)
      return
    }
    ticket.sinceMs = performance.now()
    queue.push(ticket)
    this.#queues.set(user, queue)
    this.#waiting++
    this.#timer ??= setInterval(() => this.#check(), CHECK_EVERY_MS).unref()
    this.#dispatch() // whoever waits may only wait for their own share
  }

  #refuse(ticket: Ticket): void {
    ticket.state = 'gone'
    this.rejected++
    ticket.turn.refuse(tooManyRequests())
  }

  release(ticket: Ticket): void {
    const { state } = ticket
    ticket.state = 'gone'
    if (state === 'seated') {
      this.#seated.delete(ticket)
      if (this.#leaving.push(ticket) === 1) setImmediate(() => this.#nextTurn())
    } else if (state === 'overdue') this.#overdue -= ticket.seats
    else if (state === 'waiting') this.#takeOut(ticket)
  }

  #nextTurn(): void {
    const leaving = this.#leaving
    this.#leaving = []
    for (const ticket of leaving) this.#vacate(ticket)
    if (this.#waiting > 0) this.#dispatch()
  }

  #vacate({ user, seats }: Ticket): void {
    this.#taken -= seats
    const left = (this.#seatsOf.get(user) ?? 0) - seats
    if (left > 0) this.#seatsOf.set(user, left)
    else this.#seatsOf.delete(user)
  }

  #takeOut(ticket: Ticket): void {
    const { user } = ticket
    const rest = (this.#queues.get(user) ?? []).filter((other) => other !== ticket)
    if (rest.length > 0) this.#queues.set(user, rest)
    else this.#queues.delete(user)
    this.#waiting--
  }

  /** Gives free seats to those who wait, one request a user and turn; who needs more than are free is waited for. */
  #dispatch(): void {
    for (let passed = 0; passed < this.#queues.size; ) {
      const [next] = this.#queues
      if (next === undefined) break
      const [user, [first]] = next
      if (first === undefined) break
      const { seats } = first
      if (this.#taken > 0 && this.#taken + seats > this.#options.seats) break
      const mayStart = this.#isWithinShare(user, seats)
      this.#toTheEnd(user, mayStart)
      if (mayStart) this.#seat(first)
      passed = mayStart ? 0 : passed + 1
    }
    if (this.#waiting > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #toTheEnd(user: string, withoutFirst: boolean): void {
    const queue = this.#queues.get(user) ?? []
    this.#queues.delete(user)
    if (withoutFirst) {
      queue.shift()
      this.#waiting--
    }
    if (queue.length > 0) this.#queues.set(user, queue)
  }

  #check(): void {
    const now = performance.now()
    const { waitMs, holdMs, seats } = this.#options
    for (const ticket of [...this.#queues.values()].flat()) {
      if (now - ticket.sinceMs < waitMs) continue
      this.#takeOut(ticket)
      this.#refuse(ticket)
    }
    for (const ticket of this.#seated) {
      if (now - ticket.sinceMs < holdMs || this.#overdue >= seats) break
      this.#seated.delete(ticket)
      this.#vacate(ticket)
      ticket.state = 'overdue'
      this.#overdue += ticket.seats
    }
    this.#dispatch()
  }
}
