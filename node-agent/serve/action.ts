/**
 * What people do to a unit by hand: restart it, send it a signal. Only what Flotilla has installed here can be reached so,
 * never a service of the host's own. Who asked is recorded, for `flotilla why`.
 */

import type { ServerResponse } from 'node:http'
import { constants } from 'node:os'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { ObservedUnit, UnitDriver } from '../units/driver.ts'
import { KILL_WHO, type KillWho } from '../units/reach.ts'

export type ActionRequest =
  | { readonly do: 'restart' }
  | { readonly do: 'kill'; readonly signal: NodeJS.Signals; readonly who: KillWho }

/** For whom it is done, as the API server knows them. */
export interface ActionSubject {
  readonly unitName: string
  /** The Unit object's own name and uid. */
  readonly name: string
  readonly uid: string
  readonly actor: string
}

export interface ActionNews {
  readonly subject: ActionSubject
  readonly reason: 'RestartedByHand' | 'SignalledByHand'
  readonly message: string
}

/** The answer's body: one line of JSON. */
export interface ActionAnswer {
  /** Why it was not done, or did not lead to a running unit. */
  readonly refused?: string
  readonly before?: ObservedUnit
  readonly after?: ObservedUnit
}

type Driver = Pick<UnitDriver, 'installed' | 'observe' | 'restart' | 'signal' | 'invocation' | 'explain'>

/** Longer than systemd takes by default to stop a unit and to start it. */
const SETTLE_DEADLINE_MS = 200_000
const LOOK_MS = 50
/** A unit that did not even begin to start by then will not: what it requires has failed, or a condition does not hold. */
const BEGIN_WITHIN_MS = 3_000
/** Empty lines meanwhile, so that nobody on the way takes the wait for a dead connection. */
const SIGN_OF_LIFE_MS = 3_000
const UNSETTLED = new Set(['activating', 'deactivating', 'reloading', 'refreshing', 'maintenance'])

/** What is wrong with the query, in a sentence; or the request. */
export function parseAction(query: URLSearchParams): ActionRequest | string {
  const verb = query.get('do')
  if (verb === 'restart') return { do: verb }
  if (verb !== 'kill') return 'do must be restart or kill'
  const signal = signalOf(query.get('signal') ?? 'SIGTERM')
  if (signal === undefined) return `there is no signal ${query.get('signal')}; give a name such as SIGUSR1`
  const who = KILL_WHO.find((each) => each === (query.get('who') ?? 'all'))
  return who ? { do: verb, signal, who } : `who must be one of ${KILL_WHO.join(', ')}`
}

/** `USR1`, `SIGUSR1` or `10`. */
function signalOf(word: string): NodeJS.Signals | undefined {
  const upper = word.toUpperCase()
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][]
  return names.find(([name, number]) => name === upper || name === `SIG${upper}` || String(number) === word)?.[0]
}

/** Undefined where it may be done, else why not. */
export async function whyNotHere(driver: Driver, unitName: string): Promise<string | undefined> {
  if ((await driver.installed()).has(unitName)) return undefined
  return `${unitName} is not installed on this machine by Flotilla`
}

/** Answers once the unit has come to rest in its new state. What it does outlives the client, the waiting does not. */
export async function answerAction(
  driver: Driver,
  subject: ActionSubject,
  request: ActionRequest,
  onDone: (news: ActionNews) => void,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const timer = setInterval(() => response.write('\n'), SIGN_OF_LIFE_MS)
  try {
    const done =
      request.do === 'kill' ? kill(driver, subject, request, onDone) : restart(driver, subject, onDone, signal)
    response.end(`${JSON.stringify(await done)}\n`)
  } finally {
    clearInterval(timer)
  }
}

async function kill(
  driver: Driver,
  subject: ActionSubject,
  { signal, who }: Extract<ActionRequest, { do: 'kill' }>,
  onDone: (news: ActionNews) => void,
): Promise<ActionAnswer> {
  const { refused } = await driver.signal(subject.unitName, signal, who)
  if (refused !== undefined) return { refused }
  const whom = who === 'all' ? 'all of its processes' : `its ${who} process`
  onDone({ subject, reason: 'SignalledByHand', message: `${signal} sent to ${whom} by hand, by "${subject.actor}"` })
  return {}
}

async function restart(
  driver: Driver,
  subject: ActionSubject,
  onDone: (news: ActionNews) => void,
  signal: AbortSignal,
): Promise<ActionAnswer> {
  const { unitName, actor } = subject
  const [before, run] = await Promise.all([look(driver, unitName), driver.invocation(unitName)])
  const [outcome] = await driver.restart([unitName])
  if (outcome?.refused !== undefined) return { refused: outcome.refused }
  const was = before?.mainPID ? `its process was ${before.mainPID}` : `it was ${before?.activeState ?? 'unknown'}`
  onDone({ subject, reason: 'RestartedByHand', message: `restarted by hand, by "${actor}"; ${was}` })
  const after = await settled(driver, unitName, run, signal)
  const seen = { ...(before && { before }), ...(after && { after }) }
  if (after?.activeState !== 'failed') return seen
  return { ...seen, refused: (await driver.explain(unitName)) || `failed: ${after.result}` }
}

async function settled(
  driver: Driver,
  unitName: string,
  run: string,
  signal: AbortSignal,
): Promise<ObservedUnit | undefined> {
  const begunMs = performance.now()
  for (;;) {
    // In this order: what is seen is then no older than the run, not the moment between the old one and the new.
    const now = await driver.invocation(unitName)
    const seen = await look(driver, unitName)
    const waitedMs = performance.now() - begunMs
    const isAtRest = !UNSETTLED.has(seen?.activeState ?? '')
    const hasBegun = now !== run || (waitedMs > BEGIN_WITHIN_MS && seen?.activeState !== 'active')
    if ((isAtRest && hasBegun) || waitedMs > SETTLE_DEADLINE_MS || signal.aborted) return seen
    await sleep(systemClock, LOOK_MS, signal)
  }
}

async function look(driver: Driver, unitName: string): Promise<ObservedUnit | undefined> {
  return (await driver.observe([unitName])).get(unitName)
}
