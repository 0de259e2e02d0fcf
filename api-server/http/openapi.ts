/** The OpenAPI documents, made on the first request for them: most servers' clients never ask. */
import { createHash } from 'node:crypto'
import type { Kind } from '../../crds/kind.ts'
import { groupVersionPath, openApiV2, openApiV3 } from '../../crds/openapi.ts'
import type { ServedKinds } from '../registry/served-kinds.ts'
import { encodeOpenApiV2 } from './openapi-v2.ts'

export interface OpenApi {
  index(): string
  /** `path` as in `apis/flotilla.dev/v1`; undefined where nothing is served. */
  v3(path: string): string | undefined
  v2(): { readonly body: Buffer; readonly etag: string }
}

export function createOpenApi(kinds: ServedKinds): OpenApi {
  const documents = new Map<string, GroupDocument>()
  const groups = kinds.derived((all) => {
    const paths = [...new Set(all.map(groupVersionPath))]
    for (const path of documents.keys()) if (!paths.includes(path)) documents.delete(path)
    return new Map(paths.map((path) => [path, all.filter((kind) => groupVersionPath(kind) === path)]))
  })
  const documentOf = (path: string): GroupDocument | undefined => {
    const members = groups().get(path)
    if (members === undefined) return undefined
    const known = documents.get(path)
    if (known && sameMembers(known.members, members)) return known
    const text = JSON.stringify(openApiV3(members))
    const made = { members, text, hash: hash(text) }
    documents.set(path, made)
    return made
  }
  return {
    index: kinds.derived(() => {
      const urlOf = (path: string) => `/openapi/v3/${path}?hash=${documentOf(path)?.hash}`
      const paths = [...groups().keys()].map((path) => [path, { serverRelativeURL: urlOf(path) }])
      return JSON.stringify({ paths: Object.fromEntries(paths) })
    }),
    v3: (path) => documentOf(path)?.text,
    v2: kinds.derived((all) => {
      const body = encodeOpenApiV2(openApiV2(all))
      return { body, etag: `"${hash(body)}"` }
    }),
  }
}

/** Outlives changes of the table that are not about its group and version. */
interface GroupDocument {
  readonly members: readonly Kind[]
  readonly text: string
  readonly hash: string
}

function sameMembers(a: readonly Kind[], b: readonly Kind[]): boolean {
  return a.length === b.length && a.every((kind, at) => kind === b[at])
}

function hash(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex').toUpperCase().slice(0, 32)
}
