/** The OpenAPI documents, made on the first request for them: most servers' clients never ask. */
import { createHash } from 'node:crypto'
import type { Kind } from '../../crds/kind.ts'
import { groupVersionPath, openApiV2, openApiV3 } from '../../crds/openapi.ts'
import { encodeOpenApiV2 } from './openapi-v2.ts'

export interface OpenApi {
  index(): string
  /** `path` as in `apis/flotilla.dev/v1`; undefined where nothing is served. */
  v3(path: string): string | undefined
  v2(): { readonly body: Buffer; readonly etag: string }
}

export function createOpenApi(kinds: readonly Kind[]): OpenApi {
  const paths = [...new Set(kinds.map(groupVersionPath))]
  const v3 = once((path: string) => {
    const members = kinds.filter((kind) => groupVersionPath(kind) === path)
    return members.length > 0 ? JSON.stringify(openApiV3(members)) : undefined
  })
  const v2 = once((_: 'v2') => {
    const body = encodeOpenApiV2(openApiV2(kinds))
    return { body, etag: `"${hash(body)}"` }
  })
  return {
    index: () =>
      JSON.stringify({
        paths: Object.fromEntries(
          paths.map((path) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash(v3(path) ?? '')}` }]),
        ),
      }),
    v3: (path) => (paths.includes(path) ? v3(path) : undefined),
    v2: () => v2('v2'),
  }
}

function once<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make(key)
    made.set(key, value)
    return value
  }
}

function hash(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex').toUpperCase().slice(0, 32)
}
