/** `/units` and `/units/NAME`: what is stored, and what shall become of it (spec: fleet §7, PUT logic). */
import type { ApiObject } from '../../../crds/kind.ts'
import { checkUnitName, isTemplate } from '../../../crds/unit-name.ts'
import { checkPlacement } from '../../../crds/unit-placement.ts'
import { updatedBy } from '../../registry/managed-fields/track.ts'
import type { Place } from '../../registry/registry.ts'
import { type Answer, type Call, listBody, machineFinder, seenUnits, UNIT } from './call.ts'
import { type SeenUnit, seenUnit, shownUnit } from './fleet-objects.ts'
import { pageOf } from './page.ts'
import { Refusal } from './refusal.ts'
import { UnitBody } from './request-body.ts'
import { checkOptions, textOf, type UnitOption } from './unit-options.ts'

const OWNERSHIP = updatedBy({ manager: 'fleet-v1' })
const NOT_THERE = 'unit does not exist'
const STATES: ReadonlySet<string> = new Set(['inactive', 'loaded', 'launched'])

export async function listUnits(call: Call): Promise<Answer> {
  call.demand({ verb: 'list', kind: UNIT })
  const all = (await seenUnits(call)).filter(isShown)
  const { items, nextPageToken } = pageOf(all, call.query)
  const machineOf = machineFinder(call)
  const units = items.map((seen) => shownUnit(seen, machineOf))
  return { status: 200, body: listBody('units', units, nextPageToken) }
}

export function getUnit(call: Call): Answer {
  const name = call.item ?? ''
  call.demand({ verb: 'get', kind: UNIT, name })
  return { status: 200, body: shownUnit(found(call, name), machineFinder(call)) }
}

export async function deleteUnit(call: Call): Promise<Answer> {
  const name = call.item ?? ''
  const guard = (object: ApiObject) => call.demand({ verb: 'delete', kind: UNIT, name, object })
  call.demand({ verb: 'delete', kind: UNIT, name, ...subject(call, name) })
  found(call, name)
  await call.registry.delete(placeOf(name), { guard })
  return { status: 204 }
}

/** 201 for a new unit or a new text, whose desired state is inactive unless it says otherwise; 204 for a new state. */
export async function putUnit(call: Call): Promise<Answer> {
  const item = call.item ?? ''
  const body = await call.bodies.read(call.request, UnitBody)
  const name = body.name || item
  if (name !== item) throw new Refusal(400, `name in URL "${item}" differs from unit name in request body "${name}"`)
  const wrongName = checkUnitName(name)
  if (wrongName !== undefined) throw new Refusal(400, wrongName)
  const desired = body.desiredState || undefined
  const options = (body.options ?? []).map(({ section, name: key, value }) => ({
    section: section ?? '',
    name: key ?? '',
    value: value ?? '',
  }))
  await call.registry.fresh.ensure()
  const before = lookUp(call, name)
  call.demand({ verb: before ? 'update' : 'create', kind: UNIT, ...(before && { name, object: before.unit }) })
  if (before === undefined) return createUnit(call, { name, desired, options })
  const isNewText = options.length > 0 && textOf(options) !== before.text
  if (isNewText) return changeUnit(call, { name, desired: desired ?? 'inactive', content: contentOf(options) }, 201)
  if (desired === undefined) throw new Refusal(409, 'must provide DesiredState to update existing unit')
  return changeUnit(call, { name, desired }, 204)
}

interface NewUnit {
  readonly name: string
  readonly desired: string | undefined
  readonly options: readonly UnitOption[]
}

async function createUnit({ registry }: Call, { name, desired = 'inactive', options }: NewUnit): Promise<Answer> {
  if (options.length === 0) throw new Refusal(409, 'unit does not exist and options field empty')
  const content = contentOf(options)
  checkState(name, desired)
  const { apiVersion, kind } = { apiVersion: `${UNIT.group}/${UNIT.version}`, kind: UNIT.kind }
  const object = { apiVersion, kind, metadata: { name }, spec: { content, desiredState: desired } }
  await registry.create(UNIT, undefined, object, { ownership: OWNERSHIP })
  return { status: 201 }
}

interface Change {
  readonly name: string
  readonly desired: string
  readonly content?: string
}

async function changeUnit(call: Call, { name, desired, content }: Change, status: number): Promise<Answer> {
  checkState(name, desired)
  const change = (current: ApiObject): ApiObject => ({
    ...current,
    spec: { ...(current.spec as object), desiredState: desired, ...(content !== undefined && { content }) },
  })
  const guard = (object: ApiObject, next?: ApiObject) => call.demand({ verb: 'update', kind: UNIT, name, object, next })
  await call.registry.update(placeOf(name), change, undefined, { ownership: OWNERSHIP, guard })
  return { status }
}

/** fleet stored any state of an existing unit, which nobody could read afterwards; here it is refused (spec: §12). */
function checkState(name: string, desired: string): void {
  if (!STATES.has(desired)) throw new Refusal(400, `invalid DesiredState "${desired}": inactive, loaded or launched`)
  if (isTemplate(name) && desired !== 'inactive') throw new Refusal(400, `cannot activate template "${name}"`)
}

/** New texts are held to the same rules as new units, which fleet forgot (spec: §12). */
function contentOf(options: readonly UnitOption[]): string {
  const content = textOf(options)
  const wrong = checkOptions(options) ?? checkPlacement(content)[0]?.message
  if (wrong !== undefined) throw new Refusal(400, wrong)
  return content
}

const placeOf = (name: string): Place => ({ kind: UNIT, namespace: undefined, name })

/** What is being deleted is gone for fleet; copies of a global unit never were. */
const isShown = ({ isCopy, isDeleting }: SeenUnit): boolean => !isCopy && !isDeleting

function lookUp({ registry }: Call, name: string): SeenUnit | undefined {
  const entry = registry.find(placeOf(name))
  const seen = entry && seenUnit(entry)
  return seen && isShown(seen) ? seen : undefined
}

function found(call: Call, name: string): SeenUnit {
  const seen = lookUp(call, name)
  if (seen === undefined) throw new Refusal(404, NOT_THERE)
  return seen
}

function subject(call: Call, name: string) {
  const seen = lookUp(call, name)
  return seen && { object: seen.unit }
}
