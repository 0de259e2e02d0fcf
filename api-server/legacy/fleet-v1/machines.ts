/** `/machines`: who is there, and the metadata that units are placed by: the labels that have no domain. */
import type { ApiObject } from '../../../crds/kind.ts'
import { updatedBy } from '../../registry/managed-fields/track.ts'
import { checkLabelValue } from '../../registry/names.ts'
import { type Answer, byText, type Call, entriesOf, listBody, MACHINE } from './call.ts'
import { seenMachine } from './fleet-objects.ts'
import { pageOf } from './page.ts'
import { Refusal } from './refusal.ts'
import { PatchBody } from './request-body.ts'

const OWNERSHIP = updatedBy({ manager: 'fleet-v1' })
const METADATA_PATH = /^\/([^/]+)\/metadata\/([A-Za-z0-9_.-]+)$/

/** A machine whose heartbeat ran out is not there, as in fleet. */
export function listMachines(call: Call): Answer {
  call.demand({ verb: 'list', kind: MACHINE })
  const all = [...entriesOf(call, MACHINE)].flatMap((entry) => {
    const { shown, isLost } = seenMachine(entry)
    return shown && !isLost ? [shown] : []
  })
  all.sort((a, b) => byText(a.id, b.id))
  const { items, nextPageToken } = pageOf(all, call.query)
  return { status: 200, body: listBody('machines', items, nextPageToken) }
}

/** Everything is checked first; then each machine gets its changes in one write. */
export async function patchMachines(call: Call): Promise<Answer> {
  const operations = ((await call.bodies.read(call.request, PatchBody)) ?? []).map(readOperation)
  await call.registry.fresh.ensure()
  const names = namesById(call)
  const byMachine = new Map<string, Operation[]>()
  for (const operation of operations) {
    const name = names.get(operation.machineID)
    call.demand({ verb: 'patch', kind: MACHINE, ...(name !== undefined && { name, object: { metadata: { name } } }) })
    // fleet kept what was said of machines that it had never seen; here there is no place for it.
    if (name === undefined) throw new Refusal(404, `machine "${operation.machineID}" does not exist`)
    byMachine.set(name, [...(byMachine.get(name) ?? []), operation])
  }
  for (const [name, changes] of byMachine) await relabel(call, name, changes)
  return { status: 204 }
}

interface Operation {
  readonly machineID: string
  readonly key: string
  /** Undefined: the key goes. */
  readonly value: string | undefined
}

type PatchOperation = NonNullable<ReturnType<typeof PatchBody.parse>>[number]

function readOperation({ op, path, value }: PatchOperation): Operation {
  if (op !== 'add' && op !== 'remove' && op !== 'replace')
    throw new Refusal(400, 'invalid op: expect add, remove, or replace')
  const [, machineID, key] = METADATA_PATH.exec(path ?? '') ?? []
  if (machineID === undefined || key === undefined) throw new Refusal(400, 'machine metadata path invalid')
  if (op === 'remove') return { machineID, key, value: undefined }
  const text = value?.value
  if (!text) throw new Refusal(400, 'invalid value: add and replace require a value')
  const [wrong] = checkLabelValue(text)
  if (wrong !== undefined) throw new Refusal(400, `invalid value: ${wrong}`)
  return { machineID, key, value: text }
}

function namesById(call: Call): ReadonlyMap<string, string> {
  const seen = [...entriesOf(call, MACHINE)].map(seenMachine)
  return new Map(seen.flatMap(({ name, shown }) => (shown ? [[shown.id, name] as const] : [])))
}

async function relabel(call: Call, name: string, operations: readonly Operation[]): Promise<void> {
  const change = (current: ApiObject): ApiObject => {
    const labels: Record<string, string> = { ...current.metadata.labels }
    for (const { key, value } of operations)
      if (value === undefined) delete labels[key]
      else labels[key] = value
    return { ...current, metadata: { ...current.metadata, labels } }
  }
  const guard = (object: ApiObject) => call.demand({ verb: 'patch', kind: MACHINE, name, object })
  const place = { kind: MACHINE, namespace: undefined, name }
  await call.registry.update(place, change, undefined, { ownership: OWNERSHIP, guard })
}
