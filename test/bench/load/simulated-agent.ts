/**
 * A machine without systemd: registers, renews its lease, follows the units that are placed on it, claims each and says
 * that it runs, in the very words of the real agent. It costs little, so that a thousand of them measure the server.
 */
import { MACHINE_LEASES } from '../../../crds/group.ts'
import type { Unit } from '../../../crds/unit.ts'
import { claimPatch } from '../../../node-agent/units/claims.ts'
import type { UnitReport } from '../../../node-agent/units/status.ts'
import { statusPatch } from '../../../node-agent/units/status-writer.ts'
import { type Connection, openConnection, type Target } from './connection.ts'
import { requestText } from './template.ts'

const API = '/apis/flotilla.dev/v1'
const LEASES = `/apis/coordination.k8s.io/v1/namespaces/${MACHINE_LEASES}/leases`
const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
const RENEWALS_PER_LEASE = 4
const LEASE_MS = 8_000

export interface AgentEvents {
  /** A write of some agent was answered. */
  readonly onAnswer: (status: number, tookMs: number) => void
  readonly onFailure: (error: Error) => void
}

export interface SimulatedAgent {
  /** Changes of units that its watch has brought so far. */
  readonly heard: () => number
  readonly close: () => void
}

type Call = (method: string, path: string, body: unknown, type?: string) => Promise<number>

/** Resolves once the machine is registered and its watch has begun. */
export async function startAgent(target: Target, name: string, events: AgentEvents): Promise<SimulatedAgent> {
  const calls = await openConnection(target, { onFailure: events.onFailure })
  const call = caller(calls, target, events)
  await register(call, name)
  const watch = await followUnits(target, name, call, events)
  const renew = () => void call('PATCH', `${LEASES}/${name}`, { spec: lease(name) }, MERGE_PATCH)
  // Not all at the same moment, as machines that were not started by one loop.
  let timer: NodeJS.Timeout = setTimeout(
    () => {
      timer = setInterval(renew, LEASE_MS / RENEWALS_PER_LEASE)
    },
    Math.random() * (LEASE_MS / RENEWALS_PER_LEASE),
  )
  return {
    heard: watch.heard,
    close: () => {
      clearInterval(timer)
      calls.close()
      watch.close()
    },
  }
}

/** One request at a time, in order. Resolves with the status of the answer. */
function caller(connection: Connection, { host, port }: Target, { onAnswer }: AgentEvents): Call {
  const waiting: (() => void)[] = []
  let isBusy = false
  const next = (): void => {
    isBusy = waiting.length > 0
    waiting.shift()?.()
  }
  return (method, path, body, type = 'application/json') =>
    new Promise((resolve) => {
      const text = requestText({ method, path, host: `${host}:${port}`, type, body: JSON.stringify(body) })
      const askedMs = performance.now()
      const send = () =>
        connection.send(Buffer.from(text), (status) => {
          onAnswer(status, performance.now() - askedMs)
          resolve(status)
          next()
        })
      waiting.push(send)
      if (!isBusy) next()
    })
}

async function register(call: Call, name: string): Promise<void> {
  await call('POST', `${API}/machines`, { apiVersion: 'flotilla.dev/v1', kind: 'Machine', metadata: { name } })
  const ready = {
    ...{ type: 'Ready', status: 'True', reason: 'AgentReady', message: 'simulated' },
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  }
  const status = { addresses: [{ type: 'Hostname', address: name }], conditions: [ready] }
  await call('PATCH', `${API}/machines/${name}/status`, { status }, MERGE_PATCH)
  const metadata = { name, namespace: MACHINE_LEASES }
  await call('POST', LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: lease(name) })
}

function lease(name: string) {
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  return { holderIdentity: name, leaseDurationSeconds: LEASE_MS / 1_000, renewTime }
}

async function followUnits(target: Target, name: string, call: Call, { onFailure }: AgentEvents) {
  const taken = new Set<string>()
  /** What came while its unit was being taken: it counts where the claim was late. */
  const meanwhile = new Map<string, string>()
  let heard = 0
  const onLine = (line: string): void => {
    if (line.startsWith('{"type":"BOOKMARK"')) return
    heard += 1
    // What was taken is not looked at again: a real agent has a machine of its own for that, these share two processors.
    const unitName = /"name":"([^"]+)"/.exec(line)?.[1] ?? ''
    if (meanwhile.has(unitName)) meanwhile.set(unitName, line)
    else if (!taken.has(unitName)) void take(unitName, line)
  }
  const take = async (unitName: string, line: string): Promise<void> => {
    const { type, object } = JSON.parse(line) as { type: string; object: Unit }
    if (type === 'DELETED' || object.status?.machineName) return
    meanwhile.set(unitName, '')
    const isTaken = await run(call, object, name)
    const newer = meanwhile.get(unitName) ?? ''
    meanwhile.delete(unitName)
    if (isTaken) taken.add(unitName)
    else if (newer !== '') await take(unitName, newer)
  }
  const { host, port } = target
  const selection = `watch=true&allowWatchBookmarks=true&fieldSelector=spec.machineName%3D${name}`
  const request = requestText({ method: 'GET', path: `${API}/units?${selection}`, host: `${host}:${port}` })
  const connection = await new Promise<Connection>((resolve, reject) => {
    const onHead = (status: number) => (status === 200 ? resolve(opened) : reject(new Error(`watch: ${status}`)))
    let opened: Connection
    openConnection(target, { onHead, onBody: lineReader(onLine), onFailure }).then((made) => {
      opened = made
      made.send(Buffer.from(request), () => undefined)
    }, reject)
  })
  return { heard: () => heard, close: () => connection.close() }
}

/** Claims it, and says that it runs; false where somebody else changed it first. */
async function run(call: Call, unit: Unit, machineName: string): Promise<boolean> {
  const path = `${API}/units/${unit.metadata.name}/status`
  const now = new Date()
  const claim = claimPatch(unit, machineName, now)
  if ((await call('PATCH', path, claim, JSON_PATCH)) !== 200) return false
  const claimed = { ...unit, status: { ...unit.status, machineName } }
  return (await call('PATCH', path, statusPatch(claimed, RUNNING, machineName, now), JSON_PATCH)) === 200
}

const RUNNING: UnitReport = {
  currentState: 'launched',
  systemd: {
    ...{ loadState: 'loaded', activeState: 'active', subState: 'running', result: 'success' },
    ...{ mainPID: 4242, restarts: 0, exitStatus: 0 },
  },
  hash: 'c'.repeat(40),
  active: { status: 'True', reason: 'Running', message: 'running as process 4242' },
  generation: 1,
  worthExplaining: false,
}

function lineReader(onLine: (line: string) => void): (piece: Buffer) => void {
  let rest = ''
  return (piece) => {
    const lines = (rest + piece.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') onLine(line)
  }
}
