import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiClient, ApiError } from '../../../../controllers/lib/client.ts'
import { Lease } from '../../../../crds/core/index.ts'
import { nameIsOurs } from '../../../../node-agent/machine/name-guard.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { machine } from '../../../support/objects.ts'

const test = suite('one machine a name')
const LEASE_MS = 8_000

interface Case {
  readonly title: string
  /** What the Machine says; undefined: there is none. */
  readonly owner: string | undefined
  readonly own?: string
  /** For so many leases the owner is heard. */
  readonly livesFor?: number
  readonly isServerAway?: boolean
  /** Leases that are waited for. */
  readonly waits: number
}

const cases: readonly Case[] = [
  { title: 'a new name is free', owner: undefined, waits: 0 },
  { title: 'a machine that starts again has its name', owner: 'mine', waits: 0 },
  { title: 'a machine without an id cannot be told from another', owner: 'other', own: '', waits: 0 },
  { title: 'a name whose machine is silent is free after a lease', owner: 'other', waits: 1 },
  { title: 'as long as the other one lives this one waits', owner: 'other', livesFor: 3, waits: 4 },
  { title: 'without a server nobody waits', owner: 'other', isServerAway: true, waits: 0 },
]

/** Answers as the server would while `leases` of the owner have passed. */
function serverOf({ owner, livesFor = 0, isServerAway }: Case, leases: () => number): Pick<ApiClient, 'get'> {
  const answer = (kind: unknown) => {
    if (isServerAway) throw new Error('connect ECONNREFUSED')
    if (kind === Lease) return { metadata: { name: 'm1', resourceVersion: String(Math.min(leases(), livesFor)) } }
    if (owner === undefined) throw new ApiError(404, { message: 'not found' })
    return machine('m1', { machineID: owner })
  }
  return { get: (async (kind: unknown) => answer(kind)) as ApiClient['get'] }
}

for (const row of cases)
  test(row.title, async () => {
    const clock = createFakeClock()
    const [stop, said] = [new AbortController(), [] as string[]]
    const log = { error: (_: object, text: string) => said.push(text), info: () => undefined } as never
    const client = serverOf(row, () => Math.floor(clock.monotonicMs() / LEASE_MS))
    let isDone = false
    const options = { client, machineName: 'm1', machineID: row.own ?? 'mine', leaseDurationMs: LEASE_MS, log, clock }
    const guard = nameIsOurs(options, stop.signal).then(() => {
      isDone = true
    })
    for (let leases = 0; leases < row.waits; leases++) {
      await clock.advance(0)
      assert.not(isDone, `after ${leases} leases`)
      await clock.advance(LEASE_MS)
    }
    await guard
    assert.is(said.length, row.livesFor ?? 0)
  })

test('it ends when the agent is stopped', async () => {
  const stop = new AbortController()
  const clock = createFakeClock()
  const row: Case = { title: '', owner: 'other', livesFor: Number.POSITIVE_INFINITY, waits: 0 }
  const client = serverOf(row, () => 1)
  const log = { error: () => undefined, info: () => undefined } as never
  const guard = nameIsOurs(
    { client, machineName: 'm1', machineID: 'mine', leaseDurationMs: LEASE_MS, log, clock },
    stop.signal,
  )
  await clock.advance(0)
  stop.abort()
  await guard
})

test.run()
