/** What kinds the server has, from its own discovery: ours, Kubernetes', and those that users have added. */
import type { Api } from './api.ts'

export interface ResourceType {
  /** '' is the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
}

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string }
  readonly versions?: readonly {
    readonly version: string
    readonly resources?: readonly {
      readonly resource: string
      readonly responseKind: { readonly kind: string }
      readonly scope: string
      readonly singularResource?: string
      readonly shortNames?: readonly string[]
      readonly categories?: readonly string[]
      readonly verbs?: readonly string[]
    }[]
  }[]
}

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

/** In the server's order, the core group first; each resource once, in its preferred version. */
export async function discover(
  api: Api,
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<ResourceType[]> {
  const answers = await Promise.all(
    ['/api', '/apis'].map((path) => api.request('GET', path, { accept: ACCEPT, ...options })),
  )
  return answers.flatMap(({ value }) => ((value as { items?: GroupDiscovery[] }).items ?? []).flatMap(typesOf))
}

export function typesOf({ metadata, versions = [] }: GroupDiscovery): ResourceType[] {
  const seen = new Set<string>()
  const types: ResourceType[] = []
  for (const { version, resources = [] } of versions) {
    for (const each of resources) {
      if (seen.has(each.resource) || each.verbs?.includes('list') === false) continue
      seen.add(each.resource)
      types.push({
        group: metadata?.name ?? '',
        version,
        kind: each.responseKind.kind,
        plural: each.resource,
        singular: each.singularResource || each.responseKind.kind.toLowerCase(),
        shortNames: each.shortNames ?? [],
        categories: each.categories ?? [],
        namespaced: each.scope === 'Namespaced',
      })
    }
  }
  return types
}

/**
 * The type that a person means: plural, singular, kind or short name in any case, with `.group` where that is needed;
 * or the types of a category. Throws a sentence that lists what there is.
 */
export function resolveTypes(types: readonly ResourceType[], word: string): ResourceType[] {
  const wanted = word.toLowerCase()
  const found = types.find((type) => namesOf(type).includes(wanted))
  if (found) return [found]
  const members = types.filter((type) => type.categories.includes(wanted))
  if (members.length > 0) return members
  const known = types
    .map(({ plural }) => plural)
    .toSorted()
    .join(', ')
  throw new Error(`the server has no kind "${word}"; it has ${known}`)
}

function namesOf({ group, version, kind, plural, singular, shortNames }: ResourceType): string[] {
  const names = [plural, singular, kind.toLowerCase()]
  const full = group === '' ? [] : names.flatMap((name) => [`${name}.${group}`, `${name}.${version}.${group}`])
  return [...names, ...full, ...shortNames]
}

/** The type of a manifest's object. Throws a sentence where the server does not have it. */
export function typeOfObject(types: readonly ResourceType[], apiVersion: string, kind: string): ResourceType {
  const found = types.find((type) => type.kind === kind && apiVersionOf(type) === apiVersion)
  if (found) return found
  const same = types.find((type) => type.kind === kind)
  const hint = same ? `; "${kind}" is in ${apiVersionOf(same)}` : ''
  throw new Error(`the server has no kind "${kind}" in version "${apiVersion}"${hint}`)
}

export function apiVersionOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`
}

/** `unit.flotilla.dev/web.service`, as kubectl names objects in its answers. */
export function qualifiedName({ group, singular }: ResourceType, name: string): string {
  return `${group === '' ? singular : `${singular}.${group}`}/${name}`
}

/** Without a namespace: the collection over all of them. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const inside = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${inside}/${type.plural}`
}

export function objectPath(type: ResourceType, name: string, namespace?: string): string {
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`
}
