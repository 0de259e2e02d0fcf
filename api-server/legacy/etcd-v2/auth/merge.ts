/** What becomes of a user or a role that is updated, and whom a role lets do what: pure, in etcd's rules and words. */
import { byBytes, type Names, type Permissions, ROOT, type Role, type User } from './records.ts'
import { refused } from './refusal.ts'

export interface UserChange {
  /** Hashed; '' keeps the old one. */
  readonly password: string
  readonly grant: Names
  readonly revoke: Names
}

/** Throws `AuthRefusal` when nothing would change, or what is granted is there, or what is revoked is not. */
export function changedUser(old: User, { password, grant, revoke }: UserChange): User {
  const roles = new Set(old.roles)
  for (const role of grant ?? []) {
    if (roles.has(role)) throw refused(409, `Granting duplicate role ${role} for user ${old.user}`)
    roles.add(role)
  }
  for (const role of revoke ?? [])
    if (!roles.delete(role)) throw refused(409, `Revoking ungranted role ${role} for user ${old.user}`)
  const user: User = { user: old.user, password: password || old.password, roles: sorted(roles) }
  if (same(old, user)) throw refused(400, 'User not updated. Use grant/revoke/password to update the user.')
  return user
}

/** Throws as above, but revoking what is not there is no fault. */
export function changedRole(old: Role, { grant, revoke }: Pick<Role, 'grant' | 'revoke'>): Role {
  const granted = grant ? granting(old.permissions, grant) : old.permissions
  const role: Role = { role: old.role, permissions: revoke ? revoking(granted, revoke) : granted }
  if (same(old, role)) throw refused(400, 'Role not updated. Use grant/revoke to update the role.')
  return role
}

function granting(old: Permissions, more: Permissions): Permissions {
  const both = (verb: 'read' | 'write') => {
    const patterns = new Set(old[verb])
    for (const pattern of more[verb] ?? []) {
      if (patterns.has(pattern)) throw refused(409, `Granting duplicate ${verb} permission ${pattern}`)
      patterns.add(pattern)
    }
    return sorted(patterns)
  }
  return { read: both('read'), write: both('write') }
}

function revoking(old: Permissions, gone: Permissions): Permissions {
  const left = (verb: 'read' | 'write') =>
    sorted(new Set(old[verb]?.filter((pattern) => !gone[verb]?.includes(pattern))))
  return { read: left('read'), write: left('write') }
}

const sorted = (names: ReadonlySet<string>) => [...names].sort(byBytes)
const same = (a: User | Role, b: User | Role) => JSON.stringify(a) === JSON.stringify(b)

export interface KeyAccess {
  /** As in the request's path: with a trailing slash where it had one, '' for the root. A byte string. */
  readonly key: string
  readonly write: boolean
  /** Only a pattern with a star covers a whole directory. */
  readonly recursive: boolean
}

export function roleAllows({ role, permissions }: Role, { key, write, recursive }: KeyAccess): boolean {
  if (role === ROOT) return true
  const patterns = (write ? permissions.write : permissions.read) ?? []
  return patterns.some((pattern) => {
    const bytes = Buffer.from(pattern, 'utf8').toString('latin1')
    return bytes.endsWith('*') ? key.startsWith(bytes.slice(0, -1)) : !recursive && key === bytes
  })
}
