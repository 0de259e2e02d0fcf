/**
 * `/flotilla.dev/control-plane/…`: the servers' own etcd, for its operators and for servers that join. No objects, so no
 * kinds: a handful of calls, by the verbs of HTTP. Where the server runs no etcd of its own, all of it is 404.
 *
 *     GET credentials   what a server needs to become one of us, the authority's key among it: system:masters alone
 *     GET members · DELETE members/NAME · POST defrag · POST disarm
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { MASTERS_GROUP } from '../auth/identity.ts'
import { forbidden, methodNotAllowed, StatusError } from '../registry/errors.ts'
import type { Access, Caller } from './access.ts'
import type { HealthCheck } from './health.ts'
import { sendBytes } from './reply.ts'

/** PEM, and where etcd's members answer. */
export interface ControlPlaneCredentials {
  readonly caCertificate: string
  readonly caKey: string
  readonly endpoints: readonly string[]
}

/** Answers are JSON as they are. Calls reject with StatusError for what the caller can mend. */
export interface ControlPlane {
  readonly check: HealthCheck
  credentials(): Promise<ControlPlaneCredentials>
  members(): Promise<object>
  /** By name, or by id. */
  remove(member: string): Promise<object>
  defragment(): Promise<object>
  disarm(): Promise<object>
}

export type ControlPlaneCall = (response: ServerResponse) => Promise<void>

const PREFIX = '/flotilla.dev/control-plane/'

/** What answers a request to `path`; undefined where it is none of these. Throws 401, 403, 404 or 405. */
export function planControlPlane(
  { access, plane, log }: { readonly access: Access; readonly plane: ControlPlane | undefined; readonly log: Logger },
  path: string,
  request: IncomingMessage,
): ControlPlaneCall | undefined {
  if (!path.startsWith(PREFIX)) return undefined
  const { method = 'GET', socket } = request
  access.authorizePath(request, method, path)
  const caller = access.caller(request)
  if (plane === undefined) throw new StatusError(404, 'NotFound', 'this server does not run an etcd of its own', {})
  const [what = '', member] = path.slice(PREFIX.length).split('/')
  if (what === 'credentials') {
    requireMaster(caller, path)
    // Who was given the keys of everything is worth a line wherever logs go; the keys are not in it.
    log.warn({ user: caller.identity.user, source: socket.remoteAddress }, "the authority's key is handed out")
  }
  const call = callOf(plane, `${method} ${what}`, member)
  return async (response) => sendBytes(response, 200, JSON.stringify(await call()), { 'cache-control': 'no-store' })
}

/** RBAC could give the path to others; a key that signs anything is more than a path. Nor does it go by impersonation. */
function requireMaster({ identity, impersonatedBy }: Caller, path: string): void {
  if (impersonatedBy === undefined && identity.groups.includes(MASTERS_GROUP)) return
  throw forbidden(`forbidden: only members of ${MASTERS_GROUP} may get path "${path}"`)
}

function callOf(plane: ControlPlane, request: string, member: string | undefined): () => Promise<object> {
  if (member !== undefined && member !== '') {
    if (request === 'DELETE members') return () => plane.remove(decodeURIComponent(member))
    throw methodNotAllowed()
  }
  const calls: Readonly<Record<string, () => Promise<object>>> = {
    'GET credentials': () => plane.credentials(),
    'GET members': () => plane.members(),
    'POST defrag': () => plane.defragment(),
    'POST disarm': () => plane.disarm(),
  }
  const call = calls[request]
  if (call === undefined) throw methodNotAllowed()
  return call
}
