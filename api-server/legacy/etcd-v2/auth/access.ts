/** Who asks, by name and password or by certificate, and what etcd's users and roles let them do. */
import type { IncomingMessage } from 'node:http'
import type { Caller } from '../caller.ts'
import type { Replica } from '../replica.ts'
import { type KeyAccess, roleAllows } from './merge.ts'
import type { Passwords } from './passwords.ts'
import { GUEST, isEnabled, keyOfUser, ROOT, roleOf, type User, userOf } from './records.ts'

export interface Asking {
  readonly request: IncomingMessage
  readonly caller: Caller
}

export interface Access {
  /** Without it everybody may do everything. */
  readonly enabled: boolean
  /** Both reject when too many passwords are being checked. */
  mayUseKey(asking: Asking, access: KeyAccess): Promise<boolean>
  isRoot(asking: Asking): Promise<boolean>
}

export function createAccess(replica: Replica, passwords: Passwords): Access {
  const authenticate = async (request: IncomingMessage): Promise<User | undefined> => {
    const { tree } = replica
    const shown = basicAuth(request.headers.authorization ?? '')
    const user = shown && userOf(tree, shown.name)
    const node = user && tree.get(keyOfUser(user.user))
    if (!shown || !user || !node) return undefined
    return (await passwords.verify(node, user.password, shown.password)) ? user : undefined
  }
  const whoIs = ({ request, caller }: Asking) => {
    if (request.headers.authorization) return authenticate(request)
    const { certificateName } = caller
    return certificateName === undefined ? undefined : userOf(replica.tree, certificateName)
  }
  const mayUseKey: Access['mayUseKey'] = async (asking, access) => {
    if (!isEnabled(replica.tree) || isOurAdministrator(asking)) return true
    const user = await whoIs(asking)
    if (user) return (user.roles ?? []).some((name) => allows(name, access))
    // As in etcd, guests need no pattern with a star to ask for a whole directory.
    return !asking.request.headers.authorization && allows(GUEST, { ...access, recursive: false })
  }
  const allows = (name: string, access: KeyAccess) => {
    const role = roleOf(replica.tree, name)
    return role !== undefined && roleAllows(role, access)
  }
  return {
    get enabled() {
      return isEnabled(replica.tree)
    },
    mayUseKey,
    isRoot: async (asking) => {
      if (!isEnabled(replica.tree) || isOurAdministrator(asking)) return true
      return (await whoIs(asking))?.roles?.includes(ROOT) ?? false
    },
  }
}

/** On the API's TLS port, and under no other name: so nobody is locked out for good. */
function isOurAdministrator({ request, caller }: Asking): boolean {
  return caller.isAdministrator === true && !request.headers.authorization
}

/** RFC 7617, as Go's net/http reads it. */
function basicAuth(header: string): { readonly name: string; readonly password: Buffer } | undefined {
  const encoded = /^basic ((?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?)$/i.exec(header)?.[1]
  const bytes = Buffer.from(encoded ?? '', 'base64')
  const colon = bytes.indexOf(':')
  if (colon < 0) return undefined
  return { name: bytes.subarray(0, colon).toString('utf8'), password: bytes.subarray(colon + 1) }
}
