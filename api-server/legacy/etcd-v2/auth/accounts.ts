/** What can be done to users and roles, in etcd's rules and words. */
import type { Replica } from '../replica.ts'
import { changedRole, changedUser, type UserChange } from './merge.ts'
import type { Passwords } from './passwords.ts'
import {
  asRoot,
  ENABLED,
  encode,
  GUEST,
  GUEST_ROLE,
  isEnabled,
  keyOfRole,
  keyOfUser,
  ROOT,
  type Role,
  roleOf,
  type User,
  userOf,
} from './records.ts'
import { refused } from './refusal.ts'
import { createResources, type Resources, type ResourcesDeps } from './resources.ts'

/** All reject with `AuthRefusal` for what etcd refuses. */
export interface Accounts {
  readonly users: Users
  readonly roles: Roles
  enable(): Promise<void>
  disable(): Promise<void>
}

export interface Users {
  /** The password comes in plain, and is hashed in what is returned. */
  create(user: User): Promise<User>
  update(name: string, change: UserChange): Promise<User>
  remove(name: string): Promise<void>
}

export interface Roles {
  create(role: Role): Promise<void>
  update(role: Role): Promise<Role>
  remove(name: string): Promise<void>
}

export type AccountsDeps = ResourcesDeps & { readonly passwords: Passwords }

export function createAccounts(deps: AccountsDeps): Accounts {
  const resources = createResources(deps)
  return {
    users: createUsers(deps, resources),
    roles: createRoles(deps.replica, resources),
    ...createSwitch(deps, resources),
  }
}

function createUsers({ replica, passwords }: AccountsDeps, { create, change, remove }: Resources): Users {
  const hash = (password: string) => passwords.hash(Buffer.from(password, 'utf8'))
  return {
    create: async ({ user: name, password, roles }) => {
      if (password === '') throw refused(400, `Cannot create user ${name} with an empty password`)
      const user = asRoot({ user: name, password: await hash(password), roles })
      if (!(await create(keyOfUser(name), encode(user)))) throw refused(409, `User ${name} already exists.`)
      return user
    },
    update: async (name, { password, ...roles }) => {
      const hashed = password === '' ? '' : await hash(password)
      const next = () => {
        const old = userOf(replica.tree, name)
        if (!old) throw refused(404, `User ${name} does not exist.`)
        return changedUser(old, { password: hashed, ...roles })
      }
      return changeTo(change, keyOfUser(name), next)
    },
    remove: async (name) => {
      if (isEnabled(replica.tree) && name === ROOT) throw refused(403, 'Cannot delete root user while auth is enabled.')
      if (!(await remove(keyOfUser(name)))) throw refused(404, `User ${name} does not exist`)
    },
  }
}

function createRoles(replica: Replica, { create, change, remove }: Resources): Roles {
  const forbidRoot = (name: string) => {
    if (name === ROOT) throw refused(403, `Cannot modify role ${name}: is root role.`)
  }
  return {
    create: async (role) => {
      forbidRoot(role.role)
      if (!(await create(keyOfRole(role.role), encode(role)))) throw refused(409, `Role ${role.role} already exists.`)
    },
    update: async (role) => {
      forbidRoot(role.role)
      return changeTo(change, keyOfRole(role.role), () => {
        const old = roleOf(replica.tree, role.role)
        if (!old) throw refused(404, `Role ${role.role} does not exist.`)
        return changedRole(old, role)
      })
    },
    remove: async (name) => {
      forbidRoot(name)
      if (!(await remove(keyOfRole(name)))) throw refused(404, `Role ${name} doesn't exist.`)
    },
  }
}

function createSwitch({ replica, catchUp }: AccountsDeps, { create, change }: Resources) {
  return {
    enable: async () => {
      await catchUp()
      if (isEnabled(replica.tree)) throw refused(409, 'already enabled')
      if (!userOf(replica.tree, ROOT)) throw refused(409, 'No root user available, please create one')
      if (!roleOf(replica.tree, GUEST)) await create(keyOfRole(GUEST), encode(GUEST_ROLE))
      await change(ENABLED, () => 'true')
    },
    disable: () =>
      change(ENABLED, () => {
        if (!isEnabled(replica.tree)) throw refused(409, 'already disabled')
        return 'false'
      }),
  }
}

/** The record as it was put in place. */
async function changeTo<T extends User | Role>(change: Resources['change'], key: string, next: () => T): Promise<T> {
  let record = next()
  await change(key, () => {
    record = next()
    return encode(record)
  })
  return record
}
