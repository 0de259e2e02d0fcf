/** `/state` and `/state/NAME`: what systemd says of each unit on each machine. */
import { type Answer, byText, type Call, entriesOf, listBody, machineFinder, UNIT } from './call.ts'
import { type FleetUnitState, seenUnit, shownState } from './fleet-objects.ts'
import { pageOf } from './page.ts'
import { Refusal } from './refusal.ts'

/** The filters are exact, and hold for each page anew. */
export function listStates(call: Call): Answer {
  call.demand({ verb: 'list', kind: UNIT })
  const machineID = call.query.get('machineID')
  const unitName = call.query.get('unitName')
  const wanted = statesOf(call).filter(
    (state) => (!machineID || state.machineID === machineID) && (!unitName || state.name === unitName),
  )
  const { items, nextPageToken } = pageOf(wanted, call.query)
  return { status: 200, body: listBody('states', items, nextPageToken) }
}

/** The first of them, by machine. fleet broke the connection over a name that it did not know (spec: §12). */
export function getState(call: Call): Answer {
  const name = call.item ?? ''
  call.demand({ verb: 'get', kind: UNIT, name })
  const state = statesOf(call).find((each) => each.name === name)
  if (state === undefined) throw new Refusal(404, 'unit state does not exist')
  return { status: 200, body: state }
}

/** By name, then machine. */
function statesOf(call: Call): FleetUnitState[] {
  const machineOf = machineFinder(call)
  const states: FleetUnitState[] = []
  for (const entry of entriesOf(call, UNIT)) {
    const state = shownState(seenUnit(entry), machineOf)
    if (state) states.push(state)
  }
  return states.sort((a, b) => byText(a.name, b.name) || byText(a.machineID ?? '', b.machineID ?? ''))
}
