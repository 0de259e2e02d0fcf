/**
 * Clients of the Kubernetes API who create, replace, delete and read ConfigMaps as fast as they are answered, and the
 * history of what they were told. A write always says what it expects (a resourceVersion, or absence), a read always
 * asks for the newest state, so the history must be linearizable whatever dies meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { seeded } from '../random.ts'
import { type Caller, callerOf, type Fate, type Reply } from './caller.ts'
import type { Action, Operation, Outcome, Token } from './history.ts'
import type { Target } from './target.ts'

export const PATH = '/api/v1/namespaces/default/configmaps'

export interface Acknowledged {
  readonly key: string
  readonly action: Exclude<Action, { do: 'read' }>
  /** As answered; undefined for deletes, whose answer names none. */
  readonly version: bigint | undefined
  readonly atMs: number
}

export interface Recording {
  readonly operations: readonly Operation[]
  readonly acknowledged: readonly Acknowledged[]
  /** Everything that was tried, acknowledged or not. */
  readonly tried: ReadonlySet<Token>
  /** How many operations were answered or are in doubt. */
  readonly count: number
  /** Ends the clients and waits for them; rejects when one was told what it can never be told. */
  stop(): Promise<void>
}

export interface RecorderOptions {
  readonly targets: readonly Target[]
  readonly clients: number
  /** For the order in which things are tried. */
  readonly seed: number
  /** Of each client after each of its operations. */
  readonly pauseMs?: number
}

/** What a client believes of a key. */
interface Known {
  readonly token: Token
  readonly version: string
}

interface Shared {
  readonly options: RecorderOptions
  readonly operations: Operation[]
  readonly acknowledged: Acknowledged[]
  readonly tried: Set<Token>
  tokens: number
  going: boolean
}

/** Few keys at a time, so that clients meet; new ones after a while, so that a key's history can be searched. */
const KEYS_AT_A_TIME = 16
const OPERATIONS_A_KEY = 120
const UNREACHED_PAUSE_MS = 20

export function startRecording(options: RecorderOptions): Recording {
  const shared: Shared = { options, operations: [], acknowledged: [], tried: new Set(), tokens: 0, going: true }
  const all = Promise.all(Array.from({ length: options.clients }, (_, id) => new Client(shared, id).run()))
  all.catch(() => {
    shared.going = false
  })
  return {
    operations: shared.operations,
    acknowledged: shared.acknowledged,
    tried: shared.tried,
    get count() {
      return shared.operations.length
    },
    async stop() {
      shared.going = false
      await all
    },
  }
}

class Client {
  readonly #shared: Shared
  readonly #id: number
  readonly #callers: readonly Caller[]
  readonly #known = new Map<string, Known | 'absent'>()
  readonly #random: () => number
  #at: number

  constructor(shared: Shared, id: number) {
    this.#shared = shared
    this.#id = id
    this.#callers = shared.options.targets.map(callerOf)
    this.#random = seeded(shared.options.seed + id).next
    this.#at = id % this.#callers.length
  }

  async run(): Promise<void> {
    const { pauseMs = 0 } = this.#shared.options
    try {
      while (this.#shared.going) {
        // What one server acknowledged is asked of the other one, too.
        if (this.#random() < 0.3) this.#turn()
        await this.#once()
        if (pauseMs > 0) await delay(pauseMs * 2 * this.#random())
      }
    } finally {
      for (const caller of this.#callers) caller.close()
    }
  }

  #turn(): void {
    this.#at = (this.#at + 1) % this.#callers.length
  }

  async #once(): Promise<void> {
    const generation = Math.floor(this.#shared.operations.length / (KEYS_AT_A_TIME * OPERATIONS_A_KEY))
    const key = `lin-${generation}-${Math.floor(this.#random() * KEYS_AT_A_TIME)}`
    const action = this.#chosen(key)
    if (action.do !== 'read' && action.do !== 'remove') this.#shared.tried.add(action.token)
    const startedAt = performance.now()
    const fate = await this.#send(key, action)
    const endedAt = performance.now()
    if (typeof fate === 'string' || fate.status >= 500 || fate.status === 429) {
      this.#turn()
      this.#known.delete(key)
      const isInDoubt = fate === 'lost' || (typeof fate === 'object' && fate.status >= 500)
      if (isInDoubt && action.do !== 'read')
        this.#note({ key, action, outcome: 'unknown', startedAt, endedAt: Infinity })
      await delay(UNREACHED_PAUSE_MS)
      return
    }
    const outcome = this.#outcome(key, action, fate, endedAt)
    this.#note({ key, action, outcome, startedAt, endedAt })
  }

  #note(operation: Operation): void {
    this.#shared.operations.push(operation)
  }

  #chosen(key: string): Action {
    const known = this.#known.get(key)
    if (known === undefined || this.#random() < 0.4) return { do: 'read' }
    const token = `${this.#id}.${++this.#shared.tokens}`
    if (known === 'absent') return { do: 'create', token }
    if (this.#random() < 0.25) return { do: 'remove', expected: known.token }
    return { do: 'replace', expected: known.token, token }
  }

  #send(key: string, action: Action): Promise<Fate> {
    const caller = this.#callers[this.#at] as Caller
    const known = this.#known.get(key)
    const resourceVersion = typeof known === 'object' ? known.version : undefined
    if (action.do === 'read') return caller.call('GET', `${PATH}/${key}`)
    if (action.do === 'remove') return caller.call('DELETE', `${PATH}/${key}`, { preconditions: { resourceVersion } })
    const body = { metadata: { name: key, resourceVersion }, data: { token: action.token } }
    if (action.do === 'create') return caller.call('POST', PATH, body)
    return caller.call('PUT', `${PATH}/${key}`, body)
  }

  #outcome(key: string, action: Action, { status, text }: Reply, atMs: number): Outcome {
    if (action.do === 'read') return { saw: this.#read(key, status, text) }
    const done = status === 200 || status === 201
    if (!done && status !== 404 && status !== 409) throw new Error(`${action.do} ${key}: ${status} ${text}`)
    this.#known.delete(key)
    if (!done) return { done }
    const known = action.do === 'remove' ? 'absent' : objectIn(text)
    this.#known.set(key, known)
    const version = known === 'absent' ? undefined : BigInt(known.version)
    this.#shared.acknowledged.push({ key, action, version, atMs })
    return { done }
  }

  #read(key: string, status: number, text: string): Token | undefined {
    if (status !== 200 && status !== 404) throw new Error(`read ${key}: ${status} ${text}`)
    const known = status === 404 ? 'absent' : objectIn(text)
    this.#known.set(key, known)
    return known === 'absent' ? undefined : known.token
  }
}

function objectIn(text: string): Known {
  const { metadata, data } = JSON.parse(text)
  return { token: data.token, version: metadata.resourceVersion }
}

/** The longest time that nothing was acknowledged, among gaps that overlap `[fromMs, toMs]`. */
export function longestGapMs({ acknowledged }: Recording, fromMs: number, toMs: number): number {
  let longest = 0
  let before = fromMs
  for (const { atMs } of acknowledged) {
    if (atMs < fromMs) continue
    longest = Math.max(longest, atMs - before)
    before = atMs
    if (atMs > toMs) break
  }
  return before < toMs ? Math.max(longest, toMs - before) : longest
}
