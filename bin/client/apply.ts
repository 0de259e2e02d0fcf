/** `flotilla apply`: every manifest in order, several at a time where order cannot matter. */
import { applyObject } from './apply-object.ts'
import { describeFailure } from './failure.ts'
import { inOrder } from './in-order.ts'
import { type Manifest, type Mistake, readManifests } from './manifests.ts'
import { discover, qualifiedName, type ResourceType, typeOfObject } from './resources.ts'
import type { Session } from './session.ts'

export interface ApplyCommandOptions {
  readonly filename: readonly string[]
  readonly recursive?: boolean
  readonly namespace?: string
  readonly dryRun?: string | boolean
}

type Item = Manifest | Mistake
interface Told {
  readonly line?: string
  readonly notes: readonly string[]
  readonly isFailed: boolean
}

/** Enough to fill the server's group commit, few enough to keep a wrong file's noise short. */
const AT_ONCE = 16
/** What others need before they can be created. */
const FIRST = new Set(['Namespace', 'CustomResourceDefinition'])

export async function apply(session: Session, options: ApplyCommandOptions): Promise<number> {
  const items = await readManifests(options.filename, { recursive: options.recursive, stdin: session.io.stdin })
  if (items.length === 0) throw new Error('no objects to apply')
  const types = await createTypeLookup(session, items)
  let failures = 0
  for (const wave of wavesOf(items)) {
    await inOrder(
      wave,
      AT_ONCE,
      (item) => applyItem(session, types, item, options),
      async ({ line, notes, isFailed }) => {
        for (const note of notes) session.out.note(note)
        if (line !== undefined) await session.out.line(line)
        if (isFailed) failures++
      },
    )
  }
  return failures > 0 ? 1 : 0
}

/** Cuts the list where an object must wait for those before it: after what others need, and before a repetition. */
export function wavesOf(items: readonly Item[]): Item[][] {
  const waves: Item[][] = [[]]
  let seen = new Set<string>()
  for (const item of items) {
    const key = keyOf(item)
    const isFirst = 'object' in item && FIRST.has(item.object.kind)
    const isCut = seen.has(key) || isFirst
    if (isCut) {
      waves.push([])
      seen = new Set()
    }
    waves.at(-1)?.push(item)
    seen.add(key)
    if (isFirst) waves.push([])
  }
  return waves.filter((wave) => wave.length > 0)
}

function keyOf(item: Item): string {
  if (!('object' in item)) return ''
  const { apiVersion, kind, metadata } = item.object
  return JSON.stringify([apiVersion, kind, metadata.namespace, metadata.name])
}

type TypeLookup = (apiVersion: string, kind: string) => Promise<ResourceType>

/** Asks anew where a kind is missing: a manifest before may just have defined it. Rejects when nobody answers at all. */
async function createTypeLookup({ api, signal }: Session, items: readonly Item[]): Promise<TypeLookup> {
  const isNeeded = items.some((item) => 'object' in item)
  let types = isNeeded ? await discover(api, { signal }) : []
  return async (apiVersion, kind) => {
    try {
      return typeOfObject(types, apiVersion, kind)
    } catch {
      types = await discover(api, { signal })
      return typeOfObject(types, apiVersion, kind)
    }
  }
}

async function applyItem(
  { api, signal }: Session,
  types: TypeLookup,
  item: Item,
  options: ApplyCommandOptions,
): Promise<Told> {
  if (!('object' in item)) return { notes: [`error: ${item.source}: ${item.error.message}`], isFailed: true }
  try {
    const type = await types(item.object.apiVersion, item.object.kind)
    const object = placed(item.object, type, options.namespace, api.namespace)
    const name = qualifiedName(type, object.metadata.name)
    const dryRun = isDryRun(options.dryRun)
    const { outcome, warnings } = await applyObject(api, type, object, { dryRun, signal })
    const notes = warnings.map((warning) => `Warning: ${name}: ${warning}`)
    return { line: `${name} ${outcome}${dryRun ? ' (server dry run)' : ''}`, notes, isFailed: false }
  } catch (error) {
    signal.throwIfAborted()
    return { notes: [`${describeFailure(error)}\n  (${item.source})`], isFailed: true }
  }
}

/** Namespaced objects name their namespace, in the memory of what was applied too: kubectl does the same. */
function placed(
  object: Manifest['object'],
  type: ResourceType,
  wanted: string | undefined,
  usual: string,
): Manifest['object'] {
  if (!type.namespaced) return object
  const { namespace } = object.metadata
  if (namespace && wanted && namespace !== wanted)
    throw new Error(`${object.kind} "${object.metadata.name}" is in namespace "${namespace}", not in "${wanted}"`)
  return { ...object, metadata: { ...object.metadata, namespace: namespace || wanted || usual } }
}

function isDryRun(value: string | boolean | undefined): boolean {
  if (value === undefined || value === false || value === 'none') return false
  if (value === true || value === 'server' || value === 'client') return true
  throw new Error('--dry-run is server or none')
}
