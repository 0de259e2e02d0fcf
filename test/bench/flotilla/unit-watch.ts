/** Follows all Units and remembers when each stage of a unit's life was first seen. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createInterface } from 'node:readline'
import type { Target } from '../load/connection.ts'
import { wallClockMs } from '../load/template.ts'
import { UNITS } from './units.ts'

/** Wall clock, ms. */
export interface Seen {
  /** When its create was sent, where it says so (`SENT_AT`). */
  readonly sentMs?: number
  readonly machine?: string
  /** spec.machineName was set. */
  readonly boundMs?: number
  /** status.machineName was set. */
  readonly claimedMs?: number
  /** status said that systemd has it active. */
  readonly reportedMs?: number
}

export interface Story extends Seen {
  /** The 201 had arrived. */
  readonly createdMs: number
  /** systemd's own ActiveEnterTimestamp. */
  readonly activeMs: number
}

export interface UnitWatch extends AsyncDisposable {
  seen(name: string): Seen
}

/** The annotation in which a unit carries the time of its sending. */
export const SENT_AT = 'bench.flotilla.dev/sent-at'

interface WatchedUnit {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly machineName?: string }
  readonly status?: { readonly machineName?: string; readonly systemd?: { readonly activeState?: string } }
}

/** Resolves once the watch has begun. */
export async function watchUnits({ host, port, tls }: Target): Promise<UnitWatch> {
  const options = { host, port, path: `${UNITS}?watch=1`, ...tls, servername: 'localhost', agent: false as const }
  const sent = request(options).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`the watch answered ${response.statusCode}`)
  const all = new Map<string, Seen>()
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
  }
  const lines = createInterface({ input: response }).on('line', (line) => note(all, line))
  for (const part of [sent, response, lines]) part.on('error', fail)
  lines.on('close', () => fail(new Error('the watch has ended')))
  return {
    seen(name) {
      if (failure) throw failure
      return all.get(name) ?? {}
    },
    [Symbol.asyncDispose]: async () => void sent.destroy(),
  }
}

function note(all: Map<string, Seen>, line: string): void {
  const nowMs = wallClockMs()
  const { object } = JSON.parse(line) as { object: WatchedUnit }
  const { metadata, spec, status } = object
  const before = all.get(metadata.name) ?? {}
  const isActive = status?.systemd?.activeState === 'active'
  const sentAt = metadata.annotations?.[SENT_AT]
  all.set(metadata.name, {
    ...(sentAt && { sentMs: Number(sentAt) }),
    ...(spec?.machineName && { machine: spec.machineName, boundMs: nowMs }),
    ...(status?.machineName && { claimedMs: nowMs }),
    ...(isActive && { reportedMs: nowMs }),
    ...before,
  })
}
