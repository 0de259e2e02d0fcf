/**
 * APIs that are not Kubernetes' own but come in through the same TLS port. Such a door gets the request before anything
 * has read its body, answers in its own words, refusals included, and takes its own time with watches.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Identity } from '../auth/identity.ts'

export interface LegacyDoor {
  /** Whether a path (without its query) is this door's to answer, for a request with these headers. */
  owns(path: string, headers: IncomingHttpHeaders): boolean
  /** `identity` is undefined for a certificate that does not count. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse, identity: Identity | undefined): void
  /** The server is about to stop: whoever waits is let go. */
  letGo(): void
}
