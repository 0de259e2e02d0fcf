/** The door on the API's TLS port: the same answers, for those who may. On its own listener whoever reaches it may. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Identity, MASTERS_GROUP } from '../../auth/identity.ts'
import type { EtcdV2Door } from './door.ts'
import { failure, failureBody, failureStatus } from './failure.ts'
import { send } from './reply.ts'

/** Who comes in through a listener of the door's own. */
export const ETCD_V2_USER = 'flotilla:legacy-v2'

export interface TlsDoor {
  owns(path: string): boolean
  handle(request: IncomingMessage, response: ServerResponse, identity: Identity | undefined): void
  letGo(): void
}

export function createTlsDoor(door: EtcdV2Door): TlsDoor {
  return {
    owns: (path) => path === '/v2' || path.startsWith('/v2/'),
    handle: (request, response, identity) => {
      if (mayUse(identity)) door.handle(request, response)
      else refuse(response)
    },
    letGo: () => door.letGo(),
  }
}

function mayUse(identity: Identity | undefined): boolean {
  return identity !== undefined && (identity.user === ETCD_V2_USER || identity.groups.includes(MASTERS_GROUP))
}

function refuse(response: ServerResponse): void {
  const refused = failure(110, 'Insufficient credentials')
  const headers = ['Content-Type', 'application/json', 'X-Etcd-Index', '0']
  send(response, failureStatus(refused), headers, failureBody(refused, 0))
}
