/** Discovery, aggregated and legacy, from the table of kinds (spec: Kubernetes API, §1). Rendered once at start. */
import { createHash } from 'node:crypto'
import type { Kind, KindOptions, Subresource, Verb } from '../../crds/kind.ts'

const AGGREGATED = 'apidiscovery.k8s.io'
const SUB_VERBS: readonly Verb[] = ['get', 'patch', 'update']

/** What discovery tells of a resource: a kind, or what has no kind and is only asked, as reviews are. */
export type Discoverable = Pick<
  Kind,
  | 'group'
  | 'version'
  | 'kind'
  | 'plural'
  | 'singular'
  | 'shortNames'
  | 'categories'
  | 'scope'
  | 'verbs'
  | 'subresources'
> &
  Pick<KindOptions, 'status' | 'scale'>

export interface Document {
  readonly body: string
  readonly contentType: string
  readonly etag: string
}

/** The document for a discovery path, or undefined. `accept` chooses between the two forms of `/api` and `/apis`. */
export type Discovery = (path: string, accept: string | undefined) => Document | undefined

export function createDiscovery(kinds: readonly Discoverable[], serverAddress: string): Discovery {
  const legacy = new Map<string, Document>()
  const groups = groupBy(kinds)
  for (const [group, members] of groups) {
    for (const version of versionsOf(members))
      legacy.set(pathOf(group, version), plain(resourceList(group, version, members)))
    if (group !== '')
      legacy.set(`/apis/${group}`, plain({ kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, members) }))
  }
  const named = [...groups].filter(([group]) => group !== '')
  legacy.set(
    '/api',
    plain({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }),
  )
  legacy.set(
    '/apis',
    plain({
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: named.map(([group, members]) => groupEntry(group, members)),
    }),
  )
  const aggregated = new Map([
    ['/api', discoveryList([['', groups.get('') ?? []]])],
    ['/apis', discoveryList(named)],
  ])
  return (path, accept) => {
    const version = aggregatedVersion(accept)
    const list = version && aggregated.get(path)
    return list ? list(version) : legacy.get(path)
  }
}

function groupBy(kinds: readonly Discoverable[]): Map<string, Discoverable[]> {
  const groups = new Map<string, Discoverable[]>()
  for (const kind of kinds) groups.set(kind.group, [...(groups.get(kind.group) ?? []), kind])
  return groups
}

function versionsOf(members: readonly Discoverable[]): string[] {
  return [...new Set(members.map((kind) => kind.version))]
}

function pathOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

function aggregatedVersion(accept = ''): 'v2' | 'v2beta1' | undefined {
  if (!accept.includes(`g=${AGGREGATED}`)) return undefined
  return accept.includes('v=v2;') || accept.includes('v=v2,')
    ? 'v2'
    : accept.includes('v=v2beta1')
      ? 'v2beta1'
      : undefined
}

function document(value: unknown, contentType: string): Document {
  const body = JSON.stringify(value)
  return { body, contentType, etag: `"${createHash('sha256').update(body).digest('hex').toUpperCase().slice(0, 32)}"` }
}

function plain(value: unknown): Document {
  return document(value, 'application/json')
}

function groupEntry(group: string, members: readonly Discoverable[]): Record<string, unknown> {
  const versions = versionsOf(members).map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions, preferredVersion: versions[0] }
}

function subresources(kind: Discoverable): Subresource[] {
  const { group, version, kind: type } = kind
  return [
    ...(kind.status ? [{ name: 'status', group, version, kind: type, verbs: SUB_VERBS }] : []),
    ...(kind.scale ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: SUB_VERBS }] : []),
    ...kind.subresources,
  ]
}

function resourceList(group: string, version: string, members: readonly Discoverable[]): Record<string, unknown> {
  const resources = members.filter((kind) => kind.version === version).flatMap(legacyResources)
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources,
  }
}

function legacyResources(kind: Discoverable): Record<string, unknown>[] {
  const { plural, singular, shortNames, categories } = kind
  const namespaced = kind.scope === 'Namespaced'
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs: kind.verbs,
      ...(shortNames.length > 0 && { shortNames }),
      ...(categories.length > 0 && { categories }),
    },
    ...subresources(kind).map((sub) => ({
      name: `${plural}/${sub.name}`,
      singularName: '',
      namespaced,
      ...(sub.group !== kind.group && { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ]
}

/** Each version of the aggregated form is its own document, because it names itself. */
function discoveryList(
  groups: readonly (readonly [string, readonly Discoverable[]])[],
): (version: 'v2' | 'v2beta1') => Document {
  const items = groups.map(([group, members]) => ({
    metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
    versions: versionsOf(members).map((version) => ({
      version,
      freshness: 'Current',
      resources: members.filter((kind) => kind.version === version).map(aggregatedResource),
    })),
  }))
  const make = (version: string) =>
    document(
      { kind: 'APIGroupDiscoveryList', apiVersion: `${AGGREGATED}/${version}`, metadata: {}, items },
      `application/json;g=${AGGREGATED};v=${version};as=APIGroupDiscoveryList`,
    )
  const documents = { v2: make('v2'), v2beta1: make('v2beta1') }
  return (version) => documents[version]
}

function aggregatedResource(kind: Discoverable): Record<string, unknown> {
  const subs = subresources(kind)
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(subs.length > 0 && {
      subresources: subs.map((sub) => ({
        subresource: sub.name,
        responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
        verbs: sub.verbs,
      })),
    }),
  }
}
