/**
 * Users and roles as they lie in the tree, below a node that no key of a client can name: those begin with a slash.
 * So they share the index, the log and the checkpoints with the keys (as in etcd, where they lie beside them), and
 * `operations.ts` marks their events as told to nobody.
 */
import { bytesOfText, quote } from '../bytes.ts'
import { isHidden, type TreeNode } from '../node.ts'
import type { Tree } from '../tree.ts'

export const TOP = '_auth'
export const ENABLED = `${TOP}/enabled`
export const USERS = `${TOP}/users`
export const ROLES = `${TOP}/roles`
export const ROOT = 'root'
export const GUEST = 'guest'

/** As Go tells `null` from `[]`, clients can too. */
export type Names = readonly string[] | null

export interface User {
  readonly user: string
  /** Hashed where it is kept. */
  readonly password: string
  readonly roles: Names
}

export interface Permissions {
  readonly read: Names
  readonly write: Names
}

export interface Role {
  readonly role: string
  readonly permissions: Permissions
  readonly grant?: Permissions
  readonly revoke?: Permissions
}

const EVERYTHING: Permissions = { read: ['/*'], write: ['/*'] }
/** It cannot be changed, and is never stored. */
export const ROOT_ROLE: Role = { role: ROOT, permissions: EVERYTHING }
/** What whoever shows no name may do, until an operator says otherwise. */
export const GUEST_ROLE: Role = { role: GUEST, permissions: EVERYTHING }

export const keyOfUser = (name: string) => `${USERS}/${bytesOfText(name)}`
export const keyOfRole = (name: string) => `${ROLES}/${bytesOfText(name)}`

const parsed = new WeakMap<TreeNode, unknown>()

/** Each node is parsed once: it is replaced, never changed. */
function read<T>(tree: Tree, key: string): T | undefined {
  const node = tree.get(key)
  if (node?.value === undefined) return undefined
  const known = parsed.get(node) ?? JSON.parse(Buffer.from(node.value, 'latin1').toString('utf8'))
  parsed.set(node, known)
  return known as T
}

export function isEnabled(tree: Tree): boolean {
  return tree.get(ENABLED)?.value === 'true'
}

export function userOf(tree: Tree, name: string): User | undefined {
  const user = read<User>(tree, keyOfUser(name))
  return user && asRoot(user)
}

/** The user root has the role root, whatever was stored. */
export function asRoot(user: User): User {
  if (user.user !== ROOT || user.roles?.includes(ROOT)) return user
  return { ...user, roles: [...(user.roles ?? []), ROOT] }
}

export function roleOf(tree: Tree, name: string): Role | undefined {
  return name === ROOT ? ROOT_ROLE : read<Role>(tree, keyOfRole(name))
}

export function userNames(tree: Tree): string[] {
  return namesIn(tree, USERS)
}

export function roleNames(tree: Tree): string[] {
  return [ROOT, ...namesIn(tree, ROLES)].sort(byBytes)
}

/** Hidden ones are not listed: etcd lists them as it lists keys. */
function namesIn(tree: Tree, folder: string): string[] {
  const keys = [...(tree.get(folder)?.children?.keys() ?? [])].filter((key) => !isHidden(key))
  return keys.map((key) => Buffer.from(key.slice(folder.length + 1), 'latin1').toString('utf8')).sort(byBytes)
}

export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** For the store. */
export function encode(record: User | Role): string {
  return bytesOfText(JSON.stringify(record))
}

const text = (value: string) => quote(bytesOfText(value))
const list = (names: Names) => (names === null ? 'null' : `[${names.map(text).join(',')}]`)
const kv = ({ read, write }: Permissions) => `{"kv":{"read":${list(read)},"write":${list(write)}}}`

/** As Go's encoding/json writes it; byte strings from here on. */
export function renderRole({ role, permissions, grant, revoke }: Role): string {
  const more = `${grant ? `,"grant":${kv(grant)}` : ''}${revoke ? `,"revoke":${kv(revoke)}` : ''}`
  return `{"role":${text(role)},"permissions":${kv(permissions)}${more}}`
}

/** Without the password. */
export function renderUser({ user, roles }: User): string {
  return `{"user":${text(user)},"roles":${list(roles)}}`
}

export function renderUserWithRoles({ user }: User, roles: readonly Role[]): string {
  return `{"user":${text(user)}${roles.length === 0 ? '' : `,"roles":[${roles.map(renderRole).join(',')}]`}}`
}

export function renderMessage(message: string): string {
  return `{"message":${text(message)}}`
}
