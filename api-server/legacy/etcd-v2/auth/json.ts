/** Users and roles as clients send them, read as Go's encoding/json reads them into etcd's structures. */
import type { Names, Permissions } from './records.ts'

export interface SentUser {
  readonly name: string
  readonly password: string
  readonly roles: Names
  readonly grant: Names
  readonly revoke: Names
}

export interface SentRole {
  readonly name: string
  readonly permissions: Permissions
  readonly grant: Permissions | undefined
  readonly revoke: Permissions | undefined
}

/** All throw `TypeError` or `SyntaxError`; nobody is told more than that it is no JSON. */
export function readUser(body: string): SentUser {
  const sent = fields(parseFirst(body))
  const [roles, grant, revoke] = [names(sent.roles), names(sent.grant), names(sent.revoke)]
  return { name: text(sent.user), password: text(sent.password), roles, grant, revoke }
}

export function readRole(body: string): SentRole {
  const sent = fields(parseFirst(body))
  const optional = (value: unknown) => (value == null ? undefined : permissions(value))
  const [grant, revoke] = [optional(sent.grant), optional(sent.revoke)]
  return { name: text(sent.role), permissions: permissions(sent.permissions), grant, revoke }
}

export function isEmpty(permissions: Permissions | undefined): boolean {
  return !permissions?.read?.length && !permissions?.write?.length
}

/** What follows the first value is not read. */
function parseFirst(body: string): unknown {
  const json = Buffer.from(body, 'latin1').toString('utf8')
  let depth = 0
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    if (depth === 0) return JSON.parse(json.slice(0, index + token.length))
  }
  return JSON.parse(json)
}

/** Names in any case, as Go takes them; null is as if nothing was sent. */
function fields(value: unknown): Record<string, unknown> {
  const sent: Record<string, unknown> = Object.create(null)
  if (value == null) return sent
  if (typeof value !== 'object' || Array.isArray(value)) throw new TypeError('no object')
  for (const [name, field] of Object.entries(value)) sent[name.toLowerCase()] = field
  return sent
}

function text(value: unknown): string {
  if (value == null) return ''
  if (typeof value !== 'string') throw new TypeError('no string')
  return value
}

function names(value: unknown): Names {
  if (value == null) return null
  if (!Array.isArray(value)) throw new TypeError('no list')
  return value.map(text)
}

function permissions(value: unknown): Permissions {
  const { read, write } = fields(fields(value).kv)
  return { read: names(read), write: names(write) }
}
