/**
 * What `kubectl drain` is shown of units. It moves pods, and units are none; but it says which command it is (the header
 * Kubectl-Command, sent by kubectl 1.22 and later), and then a unit that a drain moves is shown to it as a pod in namespace
 * flotilla-units. Evicting that pod asks the controllers to move the unit; it is gone once its machine has given it up.
 * Nobody else is shown any of this.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { EVICT_FROM, partiesOn } from '../../crds/drain.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import { Machine, Pod, Unit } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { podOf, UNIT_PODS } from '../../crds/unit-pod.ts'
import { isBoundByOwner } from '../../crds/unit-set.ts'
import { type Entry, entryMaker, objectOf } from '../registry/entry.ts'
import { notFound, StatusError } from '../registry/errors.ts'
import { list } from '../registry/list.ts'
import type { Registry } from '../registry/registry.ts'
import { matchesLabels, parseFieldSelector } from '../registry/selectors.ts'
import type { Guard } from './access.ts'
import type { Call } from './call.ts'
import { parseFilter } from './parameters.ts'
import type { Verb } from './request-info.ts'

const POD = Pod as unknown as Kind
const UNIT = Unit as unknown as Kind
const MACHINE = Machine as unknown as Kind

export function isKubectlDrain(headers: IncomingHttpHeaders): boolean {
  return headers['kubectl-command'] === 'kubectl drain'
}

function isAboutPods({ target, request }: Call): boolean {
  return target.kind.plural === POD.plural && target.kind.group === POD.group && isKubectlDrain(request.headers)
}

export interface UnitPods {
  readonly pods: readonly Buffer[]
  /** What stays on the machine, and why. */
  readonly warnings: readonly string[]
}

/** The units of the machine whose pods are asked for; undefined for every other list. Throws 403 who may not list units. */
export async function unitPods(call: Call): Promise<UnitPods | undefined> {
  const { registry, target, query } = call
  if (!isAboutPods(call) || target.namespace !== undefined) return undefined
  const { labels = [], fields = [] } = parseFilter(query, target.kind, target)
  const machine = fields.find(({ path, equal }) => path === 'spec.nodeName' && equal)?.value
  if (!machine || fields.length > 1) return undefined
  mayDo(call, 'list', undefined)
  const units = await unitsOn(registry, machine)
  const parties = partiesOn(machine, units)
  const staying = parties.flatMap(({ units, stays }) =>
    stays === undefined ? [] : units.map((unit) => ({ unit, stays })),
  )
  const stay = new Set(staying.map(({ unit }) => unit))
  const moved = units.filter((unit) => !stay.has(unit) && !isBoundByOwner(unit))
  return {
    pods: moved.filter(({ metadata }) => matchesLabels(labels, metadata.labels)).flatMap((unit) => bytesOf(unit) ?? []),
    warnings: staying.map(({ unit, stays }) => `unit/${unit.metadata.name} stays on ${machine}: ${stays}`),
  }
}

/** Those that are placed there, and those that it still holds. */
async function unitsOn(registry: Registry, machine: string): Promise<Unit[]> {
  const found = new Map<string, Unit>()
  for (const path of ['spec.machineName', 'status.machineName']) {
    const { entries } = await list(registry, UNIT, { fields: parseFieldSelector(fieldEquals(path, machine), UNIT) })
    for (const entry of entries) if (!found.has(entry.name)) found.set(entry.name, objectOf(entry) as unknown as Unit)
  }
  return [...found.values()]
}

function bytesOf(unit: Unit): Buffer | undefined {
  const pod = podOf(unit)
  return pod && Buffer.from(JSON.stringify(pod))
}

/** What a get of such a pod shows; undefined for every other place. Throws 403, and 404 when no machine holds the unit. */
export function unitPod(call: Call): Entry | undefined {
  const name = unitMeant(call)
  if (name === undefined) return undefined
  mayDo(call, 'get', name)
  const source = unitNamed(call.registry, name)
  const bytes = bytesOf(objectOf(source) as unknown as Unit)
  if (bytes === undefined) throw notFound(POD, name)
  return entryMaker(POD)('', bytes, source.version)
}

/** Its name, where the request is about such a pod, and no real pod has that name there. */
function unitMeant(call: Call): string | undefined {
  const { name, namespace } = call.target
  if (name === undefined || namespace !== UNIT_PODS || !isAboutPods(call)) return undefined
  return call.registry.find({ kind: POD, namespace, name }) === undefined ? name : undefined
}

/** To whom such pods are shown a unit that is not there is a pod that is not there. */
function unitNamed(registry: Registry, name: string): Entry {
  const source = registry.find({ kind: UNIT, namespace: undefined, name })
  if (source === undefined) throw notFound(POD, name)
  return source
}

/** Throws 403. */
function mayDo({ access, request }: Call, verb: Verb, name: string | undefined): Guard | undefined {
  const target = { kind: UNIT, namespace: undefined, name, subresource: undefined, watchPath: false }
  return access.authorize(request.raw, verb, target)
}

/**
 * Asks for the unit to be moved: true when the eviction was about one. Whoever does may change the unit. In which order
 * units go, and how many at once, is the controllers' to say. Throws 403, 404, and 429 for what stays.
 */
export async function evictUnit(call: Call, dryRun: boolean): Promise<boolean> {
  const { registry } = call
  const name = unitMeant(call)
  if (name === undefined) return false
  const guard = mayDo(call, 'patch', name)
  await registry.fresh.ensure()
  const { spec } = objectOf(unitNamed(registry, name)) as unknown as Unit
  const stays = spec.machineName ? await whyItStays(registry, name, spec.machineName) : undefined
  if (stays !== undefined) throw new StatusError(429, 'TooManyRequests', `Cannot evict unit ${name}: ${stays}`)
  const change = (unit: ApiObject) => asked(unit, dryRun || isCordoned(registry, unit))
  await registry.update({ kind: UNIT, namespace: undefined, name }, change, undefined, { dryRun, guard })
  return true
}

async function whyItStays(registry: Registry, name: string, machine: string): Promise<string | undefined> {
  const parties = partiesOn(machine, await unitsOn(registry, machine))
  return parties.find(({ units }) => units.some(({ metadata }) => metadata.name === name))?.stays
}

/**
 * kubectl does not say which machine it drains, but has cordoned it. What is placed elsewhere has left already, with
 * whom it follows perhaps: asked to leave, it would leave its new machine. To kubectl it is gone (404).
 */
function asked(unit: ApiObject, mayLeave: boolean): ApiObject {
  const { machineName } = unit.spec as Unit['spec']
  // Without a machine there is nothing to leave: it is on its way.
  if (!machineName) return unit
  if (!mayLeave) throw notFound(POD, unit.metadata.name)
  const annotations = { ...unit.metadata.annotations, [EVICT_FROM]: machineName }
  return { ...unit, metadata: { ...unit.metadata, annotations } }
}

function isCordoned(registry: Registry, unit: ApiObject): boolean {
  const { machineName = '' } = unit.spec as Unit['spec']
  const machine = registry.find({ kind: MACHINE, namespace: undefined, name: machineName })
  return machine !== undefined && (objectOf(machine) as unknown as Machine).spec?.unschedulable === true
}
