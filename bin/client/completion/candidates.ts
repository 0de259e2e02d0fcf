/** Kinds and names of what is there, for the word that is being typed. */
import type { Api } from '../api.ts'
import { MACHINES, UNITS } from '../flotilla-types.ts'
import { collectionPath, discover, type ResourceType, resolveTypes } from '../resources.ts'
import type { TypedLine } from './words.ts'

const MAX_NAMES = 500
const ACCEPT = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

/** Those that begin with what is typed. Rejects when the server does not answer before `signal` fires. */
export async function candidates(
  api: Api,
  { command, before, current }: TypedLine,
  signal: AbortSignal,
): Promise<string[]> {
  const all = await candidatesOf({ api, signal }, command, before, current)
  return all.filter((word) => word.startsWith(current))
}

interface Asking {
  readonly api: Api
  readonly signal: AbortSignal
}

async function candidatesOf(
  asking: Asking,
  command: string,
  before: readonly string[],
  current: string,
): Promise<string[]> {
  switch (command) {
    case 'get':
    case 'delete':
      return await kindsAndNames(asking, before, current)
    case 'watch':
      return before.length > 1 ? [] : await kindsAndNames(asking, before, current)
    case 'status':
    case 'cat':
    case 'restart':
    case 'kill':
    case 'start':
    case 'stop':
    case 'load':
    case 'unload':
      return await namesOf(asking, UNITS)
    case 'journal':
      return await pairs(asking, current, ['machine'], UNITS)
    case 'drain':
      return before.length > 0 ? [] : await namesOf(asking, MACHINES)
    case 'cordon':
    case 'uncordon':
      return await namesOf(asking, MACHINES)
    case 'why':
      return before.length > 0 ? [] : await pairs(asking, current, ['unit', 'machine'], UNITS)
    case 'exec':
      return before.length > 0 ? [] : await pairs(asking, current, ['unit'], MACHINES)
    default:
      return []
  }
}

async function kindsAndNames(asking: Asking, [kind]: readonly string[], current: string): Promise<string[]> {
  const types = await discover(asking.api, { signal: asking.signal })
  const at = current.indexOf('/')
  if (at > 0) return await prefixedNames(asking, only(types, current.slice(0, at)), current.slice(0, at))
  if (kind === undefined || kind.includes('/')) return types.map(({ plural }) => plural)
  return await namesOf(asking, only(types, kind))
}

/** Bare names of one kind, or `kind/name` of the others. */
async function pairs(asking: Asking, current: string, kinds: readonly string[], bare: ResourceType): Promise<string[]> {
  const at = current.indexOf('/')
  if (at < 0) return [...(await namesOf(asking, bare)), ...kinds.map((kind) => `${kind}/`)]
  const kind = current.slice(0, at)
  const type = [UNITS, MACHINES].find(({ singular, plural }) => kind === singular || kind === plural)
  return type ? await prefixedNames(asking, type, kind) : []
}

function only(types: readonly ResourceType[], word: string): ResourceType {
  const [type] = resolveTypes(types, word)
  return type as ResourceType
}

async function prefixedNames(asking: Asking, type: ResourceType, prefix: string): Promise<string[]> {
  return (await namesOf(asking, type)).map((name) => `${prefix}/${name}`)
}

async function namesOf({ api, signal }: Asking, type: ResourceType): Promise<string[]> {
  const path = collectionPath(type, api.namespace)
  const { value } = await api.request('GET', path, { query: { limit: String(MAX_NAMES) }, accept: ACCEPT, signal })
  const { items = [] } = value as { items?: readonly { readonly metadata: { readonly name: string } }[] }
  return items.map(({ metadata }) => metadata.name)
}
