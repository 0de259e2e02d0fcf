/** The door on the API's TLS port: the same answers, with the rights of whoever the certificate names. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Identity } from '../../auth/identity.ts'
import { BASES, type FleetV1Door } from './door.ts'
import { refusalBody } from './refusal.ts'

export interface FleetTlsDoor {
  owns(path: string): boolean
  handle(request: IncomingMessage, response: ServerResponse, identity: Identity | undefined): void
  letGo(): void
}

export function createFleetTlsDoor(door: FleetV1Door): FleetTlsDoor {
  return {
    owns: (path) => BASES.some((base) => path === base || path.startsWith(`${base}/`)),
    handle: (request, response, identity) => {
      if (identity === undefined) refuse(response)
      else door.handle(request, response, identity)
    },
    // Nobody waits here for anything.
    letGo: () => undefined,
  }
}

function refuse(response: ServerResponse): void {
  const body = refusalBody({ code: 401, message: 'the certificate does not count' })
  response.writeHead(401, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}
