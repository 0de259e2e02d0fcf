/** /v2/auth: users, roles, and whether they count (etcdserver/api/v2http/client_auth.go of etcd 3.4). */
import type { ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { BodyReader } from '../body.ts'
import { parseForm } from '../form.ts'
import type { Replica } from '../replica.ts'
import { allow, send, sendNotFound } from '../reply.ts'
import type { Target } from '../target.ts'
import type { Access, Asking } from './access.ts'
import type { Accounts } from './accounts.ts'
import { isEmpty, readRole, readUser, type SentRole, type SentUser } from './json.ts'
import {
  isEnabled,
  type Role,
  renderMessage,
  renderRole,
  renderUser,
  renderUserWithRoles,
  roleNames,
  roleOf,
  type User,
  userNames,
  userOf,
} from './records.ts'
import { AuthRefusal, refused } from './refusal.ts'

export interface AuthDeps {
  readonly replica: Replica
  readonly access: Access
  readonly accounts: Accounts
  readonly bodies: BodyReader
  readonly clusterId: string
  readonly log: Logger
}

export interface AuthExchange extends Asking {
  readonly response: ServerResponse
}

const PREFIX = '/v2/auth/'
const JSON_TYPE = ['Content-Type', 'application/json']

export function isAuthPath(path: string): boolean {
  return path.startsWith(PREFIX)
}

export function serveAuth(deps: AuthDeps, exchange: AuthExchange, { path, query }: Target): void {
  const [kind = '', name = '', ...rest] = path.slice(PREFIX.length).replace(/\/$/, '').split('/')
  const { request, response } = exchange
  const all = { methods: ['GET', 'PUT', 'DELETE'], isOpen: false }
  if (path === `${PREFIX}enable`)
    serve(deps, exchange, { ...all, isOpen: request.method === 'GET', work: () => enable(deps, exchange) })
  else if (kind !== 'users' && kind !== 'roles') sendNotFound(response)
  else if (rest.length > 0) send(response, 400, JSON_TYPE, renderMessage('Invalid path'))
  else if (name === '') serve(deps, exchange, { ...all, methods: ['GET'], work: async () => listed(deps, kind, query) })
  else {
    const of = { deps, exchange, query, name: Buffer.from(name, 'latin1').toString('utf8') }
    serve(deps, exchange, { ...all, work: () => ONE[kind][request.method as Method](of) })
  }
}

interface Reply {
  readonly status: number
  /** '' for none. */
  readonly body: string
}

const ok = (body: string, status = 200): Reply => ({ status, body: `${body}\n` })
const EMPTY: Reply = { status: 200, body: '' }

interface Serving {
  readonly methods: readonly string[]
  /** To everybody. */
  readonly isOpen: boolean
  readonly work: () => Promise<Reply>
}

function serve(deps: AuthDeps, exchange: AuthExchange, { methods, isOpen, work }: Serving): void {
  const { request, response } = exchange
  if (!allow(request, response, methods)) return
  const admitted = isOpen ? Promise.resolve(true) : deps.access.isRoot(exchange)
  const answer = ({ status, body }: Reply) =>
    send(response, status, [...JSON_TYPE, 'X-Etcd-Cluster-Id', deps.clusterId], body)
  admitted
    .then(async (isAdmitted) => {
      if (isAdmitted) answer(await work())
      else refuseCredentials(response)
    })
    .catch((error: unknown) => {
      if (error instanceof AuthRefusal) answer({ status: error.status, body: renderMessage(error.message) })
      else {
        deps.log.warn({ err: error }, 'an etcd v2 user or role could not be changed')
        answer({ status: 500, body: renderMessage('Internal Server Error') })
      }
    })
}

export function refuseCredentials(response: ServerResponse): void {
  send(response, 401, JSON_TYPE, renderMessage('Insufficient credentials'))
}

async function enable({ replica, accounts }: AuthDeps, { request }: AuthExchange): Promise<Reply> {
  if (request.method === 'GET') return ok(`{"enabled":${isEnabled(replica.tree)}}`)
  await (request.method === 'PUT' ? accounts.enable() : accounts.disable())
  return EMPTY
}

function listed({ replica: { tree } }: AuthDeps, kind: 'users' | 'roles', query: string): Reply {
  checkForm(query)
  const roles = (names: readonly string[]) => names.flatMap((name) => roleOf(tree, name) ?? [])
  if (kind === 'roles') return ok(`{"roles":[${roles(roleNames(tree)).map(renderRole).join(',')}]}`)
  const users = userNames(tree).flatMap((name) => userOf(tree, name) ?? [])
  const shown = users.map((user) => renderUserWithRoles(user, roles(user.roles ?? [])))
  return ok(`{"users":${shown.length === 0 ? 'null' : `[${shown.join(',')}]`}}`)
}

/** Nothing is read from it; that it can be read is asked all the same. */
function checkForm(query: string): void {
  if (parseForm(query, undefined, undefined).fault !== undefined) throw new AuthRefusal(500, 'Internal Server Error')
}

interface One {
  readonly deps: AuthDeps
  readonly exchange: AuthExchange
  readonly name: string
  readonly query: string
}

type Method = 'GET' | 'PUT' | 'DELETE'

const ONE: Readonly<Record<'users' | 'roles', Readonly<Record<Method, (one: One) => Promise<Reply>>>>> = {
  users: {
    GET: async ({ deps, name, query }) => {
      const { tree } = deps.replica
      const user = userOf(tree, name)
      if (!user) throw refused(404, `User ${name} does not exist.`)
      checkForm(query)
      return ok(
        renderUserWithRoles(
          user,
          (user.roles ?? []).map((role) => existingRole(deps, role)),
        ),
      )
    },
    PUT: async ({ deps, exchange, name }) => {
      const sent = await bodyAs(deps, exchange, readUser)
      if (sent.name !== name) throw new AuthRefusal(400, 'User JSON name does not match the name in the URL')
      return putUser(deps, sent)
    },
    DELETE: async ({ deps, name }) => {
      await deps.accounts.users.remove(name)
      return EMPTY
    },
  },
  roles: {
    GET: async ({ deps, name }) => ok(renderRole(existingRole(deps, name))),
    PUT: async ({ deps, exchange, name }) => {
      const sent = await bodyAs(deps, exchange, readRole)
      if (sent.name !== name) throw new AuthRefusal(400, 'Role JSON name does not match the name in the URL')
      return putRole(deps, sent)
    },
    DELETE: async ({ deps, name }) => {
      await deps.accounts.roles.remove(name)
      return EMPTY
    },
  },
}

function existingRole({ replica }: AuthDeps, name: string): Role {
  const role = roleOf(replica.tree, name)
  if (!role) throw refused(404, `Role ${name} does not exist.`)
  return role
}

async function putUser({ replica, accounts }: AuthDeps, sent: SentUser): Promise<Reply> {
  const { name, password, roles, grant, revoke } = sent
  const isChange = Boolean(grant?.length || revoke?.length)
  if (isChange && roles?.length) throw new AuthRefusal(400, 'User JSON contains both roles and grant/revoke')
  const user: User = { user: name, password, roles }
  if (roles?.length) return ok(renderUser(await accounts.users.create(user)))
  if (isChange || userOf(replica.tree, name))
    return ok(renderUser(await accounts.users.update(name, { password, grant, revoke })))
  return ok(renderUser(await accounts.users.create(user)), 201)
}

async function putRole({ accounts }: AuthDeps, { name, permissions, grant, revoke }: SentRole): Promise<Reply> {
  const role: Role = { role: name, permissions, ...(grant && { grant }), ...(revoke && { revoke }) }
  if (isEmpty(grant) && isEmpty(revoke)) {
    await accounts.roles.create(role)
    return ok(renderRole(role), 201)
  }
  if (!isEmpty(permissions)) throw new AuthRefusal(400, 'Role JSON contains both permissions and grant/revoke')
  return ok(renderRole(await accounts.roles.update(role)))
}

async function bodyAs<T>({ bodies }: AuthDeps, { request }: AuthExchange, read: (body: string) => T): Promise<T> {
  const text = await new Promise<string>((resolve) => {
    bodies.read(request, (body) => resolve(body.ok ? body.text : ''))
  })
  try {
    return read(text)
  } catch {
    throw new AuthRefusal(400, 'Invalid JSON in request body.')
  }
}
