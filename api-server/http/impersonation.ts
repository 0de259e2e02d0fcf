/** `kubectl --as`: who a request would be, from its headers. Whether it may is asked elsewhere. */
import type { IncomingMessage } from 'node:http'
import type { ResourceAttributes } from '../auth/authorize.ts'
import { ANONYMOUS, AUTHENTICATED_GROUP, type Identity } from '../auth/identity.ts'
import { serviceAccountGroups, serviceAccountOf } from '../auth/rbac/policy.ts'
import { badRequest } from '../registry/errors.ts'

export interface Impersonation {
  readonly identity: Identity
  /** Each of these must be allowed to who really asks. */
  readonly needs: readonly ResourceAttributes[]
}

const PREFIX = 'impersonate-'
const EXTRA = 'impersonate-extra-'
const AUTHENTICATION = 'authentication.k8s.io'
const MAX_VALUES = 500

/** Undefined for almost every request, after a look at the names of its headers. Throws 400. */
export function impersonationOf({ headers, rawHeaders }: IncomingMessage): Impersonation | undefined {
  for (const name in headers) if (name.startsWith(PREFIX)) return parse(rawHeaders)
  return undefined
}

/** The raw list, because values may hold commas, by which the parsed form joins several headers. */
function parse(rawHeaders: readonly string[]): Impersonation {
  const values = new Map<string, string[]>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (name.startsWith(PREFIX)) values.set(name, [...(values.get(name) ?? []), rawHeaders[at + 1] ?? ''])
  }
  if ([...values.values()].flat().length > MAX_VALUES) throw badRequest('too many impersonation headers')
  const user = values.get('impersonate-user')?.[0]
  if (!user) throw badRequest('cannot impersonate groups, a uid or extra values without impersonating a user')
  const groups = values.get('impersonate-group') ?? []
  const uid = values.get('impersonate-uid')?.[0]
  const extra = extraOf(values)
  const account = serviceAccountOf(user)
  const own = account && groups.length === 0 ? serviceAccountGroups(account.namespace) : []
  const identity: Identity = {
    user,
    groups: withAuthenticated(user, [...groups, ...own]),
    ...(uid && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  }
  return { identity, needs: needsOf(user, groups, uid, extra) }
}

function extraOf(values: ReadonlyMap<string, readonly string[]>): Record<string, readonly string[]> {
  const extra: [string, readonly string[]][] = []
  for (const [name, list] of values) if (name.startsWith(EXTRA)) extra.push([decode(name.slice(EXTRA.length)), list])
  return Object.fromEntries(extra)
}

/** Upstream takes a key that is not valid percent-encoding as it is. */
function decode(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

function withAuthenticated(user: string, groups: readonly string[]): string[] {
  const [anonymously = ''] = ANONYMOUS.groups
  const known = user === ANONYMOUS.user ? anonymously : AUTHENTICATED_GROUP
  return groups.includes(AUTHENTICATED_GROUP) || groups.includes(anonymously) ? [...groups] : [...groups, known]
}

function needsOf(
  user: string,
  groups: readonly string[],
  uid: string | undefined,
  extra: Readonly<Record<string, readonly string[]>>,
): ResourceAttributes[] {
  const account = serviceAccountOf(user)
  const impersonate = { verb: 'impersonate', group: '' }
  return [
    account
      ? { ...impersonate, resource: 'serviceaccounts', ...account }
      : { ...impersonate, resource: 'users', name: user },
    ...groups.map((name) => ({ ...impersonate, resource: 'groups', name })),
    ...(uid ? [{ ...impersonate, group: AUTHENTICATION, resource: 'uids', name: uid }] : []),
    ...Object.entries(extra).flatMap(([subresource, values]) =>
      values.map((name) => ({ ...impersonate, group: AUTHENTICATION, resource: 'userextras', subresource, name })),
    ),
  ]
}
