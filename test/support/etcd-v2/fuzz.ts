/**
 * Random operations at both servers in lockstep, with random watches open beside them and, now and then, a key that
 * comes to its end: after each answer, and for watches every so often, both must have said the same.
 */

import { type Random, seeded } from '../random.ts'
import { until } from '../until.ts'
import { difference } from './difference.ts'
import { type Pair, PairConnection } from './pair.ts'
import { type RandomRequest, randomKey, randomRequest } from './random.ts'
import type { RawRequest } from './raw-client.ts'
import { WatchPair } from './watch-pair.ts'

export interface FuzzOptions {
  readonly seed: number
  readonly operations: number
}

const MAX_WATCHES = 10
const LOOK_EVERY = 25
const WATCH_CHANCE = 0.03
const EXPIRY_CHANCE = 0.003
const ROOT_CHANCE = 0.2
const KNOWN_CHANCE = 0.1
const KEPT_INDICES = 8
const EXPIRED_WITHIN_MS = 4_000
const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const

/** Whose sides differ, and after what: the first difference ends the run. */
export async function fuzz(pair: Pair, { seed, operations }: FuzzOptions): Promise<string | undefined> {
  const run = new Run(pair, await PairConnection.open(pair), seeded(seed))
  try {
    for (let at = 0; at < operations; at += 1) {
      const differs = (await run.step()) ?? (at % LOOK_EVERY === 0 ? await run.lookAtWatches() : undefined)
      if (differs !== undefined) return `seed ${seed}, operation ${at}: ${differs}`
    }
    return await run.lookAtWatches()
  } finally {
    run.close()
  }
}

interface KnownNode {
  readonly key: string
  readonly value: string
  readonly modifiedIndex: number
}

class Run {
  readonly #pair: Pair
  readonly #connection: PairConnection
  readonly #dice: Random
  #indices = [4]
  #known: KnownNode = { key: '/a', value: '', modifiedIndex: 4 }
  #watches: WatchPair[] = []

  constructor(pair: Pair, connection: PairConnection, dice: Random) {
    this.#pair = pair
    this.#connection = connection
    this.#dice = dice
  }

  async step(): Promise<string | undefined> {
    if (this.#dice.chance(WATCH_CHANCE)) return this.#watch()
    if (this.#dice.chance(EXPIRY_CHANCE)) return this.#expire()
    if (this.#dice.chance(KNOWN_CHANCE)) return this.#ask(toRaw(this.#dice, this.#conditional()))
    return this.#ask(toRaw(this.#dice, randomRequest(this.#dice, this.#indices)))
  }

  async lookAtWatches(): Promise<string | undefined> {
    for (const watch of this.#watches) {
      const differs = await watch.difference()
      if (differs !== undefined) return differs
    }
    for (const watch of this.#watches) if (watch.isOver) watch.close()
    this.#watches = this.#watches.filter((watch) => !watch.isOver)
    return undefined
  }

  close(): void {
    this.#connection.close()
    for (const watch of this.#watches) watch.close()
  }

  async #ask(request: RawRequest): Promise<string | undefined> {
    const answers = await this.#connection.ask(request)
    this.#remember(answers.theirs.body)
    const differs = difference(answers, /sorted=(?:true|1|T)/.test(request.target))
    return differs === undefined ? undefined : `${request.method} ${request.target} ${request.body ?? ''}: ${differs}`
  }

  #remember(body: string): void {
    const index = /"modifiedIndex":(\d+)/.exec(body)?.[1]
    if (index !== undefined) this.#indices = [...this.#indices.slice(1 - KEPT_INDICES), Number(index)]
    const file = /^\{"action":"(?:set|update|get|create)","node":(\{"key":"[^"\\]*","value":"[^"\\]+",[^{}]*\})/.exec(
      body,
    )?.[1]
    if (file !== undefined) this.#known = JSON.parse(file) as KnownNode
  }

  /** A swap or a delete whose condition mostly holds. */
  #conditional(): RandomRequest {
    const dice = this.#dice
    const { key, value, modifiedIndex } = this.#known
    const byIndex: [string, string] = ['prevIndex', String(modifiedIndex)]
    const byValue: [string, string] = ['prevValue', encodeURIComponent(value)]
    const conditions = dice.pick([[byIndex], [byValue], [byIndex, byValue]])
    const rest = dice.pick([
      [['value', 'y']],
      [
        ['ttl', '100'],
        ['refresh', 'true'],
      ],
      [
        ['value', 'y'],
        ['ttl', '150'],
      ],
    ] as const)
    const parameters = [...conditions, ...rest]
    const method = dice.chance(0.3) ? 'DELETE' : 'PUT'
    return { method, path: `/v2/keys${encodeURI(key)}`, parameters: method === 'PUT' ? parameters : conditions }
  }

  async #watch(): Promise<string | undefined> {
    const dice = this.#dice
    const newest = this.#indices.at(-1) ?? 4
    const since = dice.pick([
      '',
      '0',
      String(newest - dice.below(40)),
      String(newest + dice.below(15)),
      String(newest - 980 - dice.below(40)),
    ])
    const flags = ['wait=true', `waitIndex=${since.startsWith('-') ? '1' : since}`, 'recursive=true', 'stream=true']
    const chosen = [
      flags[0],
      ...(since === '' ? [] : [flags[1]]),
      ...flags.slice(2).filter((_, i) => dice.chance(i === 0 ? 0.5 : 0.2)),
    ]
    const opened = await WatchPair.open(
      this.#pair,
      `/v2/keys${dice.chance(ROOT_CHANCE) ? '' : randomKey(dice)}?${chosen.join('&')}`,
    )
    if (opened.watch) this.#watches.push(opened.watch)
    while (this.#watches.length > MAX_WATCHES) this.#watches.shift()?.close()
    return opened.difference
  }

  /** A key with a short life; nothing else is asked until it is gone on both sides. */
  async #expire(): Promise<string | undefined> {
    const key = `/v2/keys${randomKey(this.#dice)}`
    const body = `value=x&ttl=${this.#dice.below(2)}${this.#dice.chance(0.3) ? '&dir=true' : ''}`
    const update = this.#dice.chance(0.3) ? '?prevExist=true' : ''
    const differs = await this.#ask({ method: 'PUT', target: key + update, headers: [FORM], body })
    if (differs !== undefined) return differs
    const isGone = async () => {
      const { ours, theirs } = await this.#connection.ask({ method: 'GET', target: key })
      return [ours, theirs].every(
        ({ body: node }) =>
          !/^\{"action":"get","node":\{"key":"[^"]*"(,"value":"[^"]*"|,"dir":true),"expiration":"[^"]*"(?!,"ttl":[1-9]\d{1,})/.test(
            node,
          ),
      )
    }
    await until(isGone, { timeoutMs: EXPIRED_WITHIN_MS, what: `${key} ended on both sides` })
    return this.#ask({ method: 'GET', target: key })
  }
}

/** Parameters go into the query or, where a form may be sent, into it. */
function toRaw(dice: Random, { method, path, parameters }: RandomRequest): RawRequest {
  const mayHaveForm = method === 'PUT' || method === 'POST'
  const query: string[] = []
  const form: string[] = []
  for (const [name, value] of parameters)
    (mayHaveForm && (name === 'value' || dice.chance(0.3)) ? form : query).push(`${name}=${value}`)
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`
  return form.length === 0 ? { method, target } : { method, target, headers: [FORM], body: form.join('&') }
}
