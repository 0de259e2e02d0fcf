/** The door on the API's TLS port: the same answers, for those who may. On its own listener whoever reaches it may. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { ETCD_V2_USER, type Identity, MASTERS_GROUP, machineOf } from '../../auth/identity.ts'
import { isDiscoveryPath } from './discovery.ts'
import type { EtcdV2Door } from './door.ts'
import { failure, failureBody, failureStatus } from './failure.ts'
import { send } from './reply.ts'

export interface TlsDoor {
  owns(path: string, headers: IncomingHttpHeaders): boolean
  handle(request: IncomingMessage, response: ServerResponse, identity: Identity | undefined): void
  letGo(): void
}

/** On this port they are Kubernetes' own, unless a machine passes on what an etcd client asked (node-agent/etcd-v2-forward). */
const SHARED_PATHS: ReadonlySet<string> = new Set(['/version', '/health'])
const isPassedOn = (headers: IncomingHttpHeaders) => headers['x-flotilla-door'] === 'etcd-v2'

export function createTlsDoor(door: EtcdV2Door): TlsDoor {
  return {
    owns: (path, headers) =>
      path === '/v2' ||
      path.startsWith('/v2/') ||
      isDiscoveryPath(path) ||
      (SHARED_PATHS.has(path) && isPassedOn(headers)),
    handle: (request, response, identity) => {
      if (identity === undefined || !mayUse(identity)) refuse(response)
      else
        door.handle(request, response, {
          from: protocolOf(request),
          isAdministrator: isAdministrator(identity),
          identity,
        })
    },
    letGo: () => door.letGo(),
  }
}

/** A client on a machine has spoken plain HTTP to it. */
function protocolOf({ headers }: IncomingMessage): 'http' | 'https' {
  return isPassedOn(headers) && headers['x-forwarded-proto'] === 'http' ? 'http' : 'https'
}

const isAdministrator = ({ groups }: Identity) => groups.includes(MASTERS_GROUP)

/** Every machine may: containers on it find etcd on its loopback, as CoreOS promised (design D4). */
function mayUse(identity: Identity): boolean {
  return identity.user === ETCD_V2_USER || isAdministrator(identity) || machineOf(identity) !== undefined
}

function refuse(response: ServerResponse): void {
  const refused = failure(110, 'Insufficient credentials')
  const headers = ['Content-Type', 'application/json', 'X-Etcd-Index', '0']
  send(response, failureStatus(refused), headers, failureBody(refused, 0))
}
