/** `/state` and `/state/NAME`: what systemd says of each unit on each machine. */
import { type Answer, byText, type Call, listBody, machineFinder, seenUnits, UNIT } from './call.ts'
import { type FleetUnitState, type SeenUnit, seenUnit, shownState } from './fleet-objects.ts'
import { pageOf } from './page.ts'
import { Refusal } from './refusal.ts'

/** The filters are exact, and hold for each page anew. */
export async function listStates(call: Call): Promise<Answer> {
  call.demand({ verb: 'list', kind: UNIT })
  const machineID = call.query.get('machineID')
  const unitName = call.query.get('unitName')
  const wanted = statesOf(call, await seenUnits(call)).filter(
    (state) => (!machineID || state.machineID === machineID) && (!unitName || state.name === unitName),
  )
  const { items, nextPageToken } = pageOf(wanted, call.query)
  return { status: 200, body: listBody('states', items, nextPageToken) }
}

/** The first of them, by machine. fleet broke the connection over a name that it did not know (spec: §12). */
export async function getState(call: Call): Promise<Answer> {
  const name = call.item ?? ''
  call.demand({ verb: 'get', kind: UNIT, name })
  const entry = call.registry.find({ kind: UNIT, namespace: undefined, name })
  const own = entry && seenUnit(entry)
  // Only of a global unit do other objects say anything.
  const among = own && !own.isGlobal ? [own] : await seenUnits(call)
  const state = statesOf(call, among).find((each) => each.name === name)
  if (state === undefined) throw new Refusal(404, 'unit state does not exist')
  return { status: 200, body: state }
}

/** By name, then machine. */
function statesOf(call: Call, units: readonly SeenUnit[]): FleetUnitState[] {
  const machineOf = machineFinder(call)
  return units
    .flatMap((seen) => shownState(seen, machineOf) ?? [])
    .sort((a, b) => byText(a.name, b.name) || byText(a.machineID ?? '', b.machineID ?? ''))
}
