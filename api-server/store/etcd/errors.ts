/**
 * What an error of etcd's means for the caller. Three things are told apart: etcd has refused and done nothing, the
 * member could not even try (another one may), and nobody knows whether it was done.
 */
import { type ServiceError, status } from '@grpc/grpc-js'
import { InvalidTransactionError, UnavailableError } from '../store.ts'

export type Fate = 'refused' | 'not tried' | 'unknown'

const REFUSALS: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
  status.RESOURCE_EXHAUSTED,
  status.DATA_LOSS,
])

/** Said before a request is proposed, or before it has left: another member may take it, whatever it does. */
const NOT_TRIED =
  /no leader|not supported for learner|not capable|too many requests|unhealthy cluster|^No connection established/

/** grpc-js says CANCELLED for a lost link, too; nobody here cancels a call and then asks what became of it. */
export function fateOf({ code, details }: ServiceError): Fate {
  if (NOT_TRIED.test(details)) return 'not tried'
  return REFUSALS.has(code) ? 'refused' : 'unknown'
}

const TOO_LARGE = /request is too large|too many operations|larger than max/
const NO_SPACE = /database space exceeded/
const STRANGER = /auth|permission denied|user name is empty|revision of auth store is old/i

/** etcd's refusal as an error of the seam. */
export function refusalOf({ details }: ServiceError): Error {
  if (TOO_LARGE.test(details))
    return new InvalidTransactionError(
      `more than etcd takes in one request (${details}): its --max-request-bytes is 1.5 MiB by default, --max-txn-ops 128`,
    )
  if (NO_SPACE.test(details))
    return new UnavailableError(
      'etcd is out of space: run "flotilla cluster defrag" ("etcdctl defrag" where etcd is not ours), or raise its quota; then "flotilla cluster disarm" ("etcdctl alarm disarm")',
    )
  if (STRANGER.test(details))
    return new UnavailableError(`etcd refuses this server (${details}): check its certificate and its rights`)
  return new UnavailableError(`etcd refuses: ${details}`)
}

export const isCompacted = (error: unknown) => saysOutOfRange(error, /has been compacted/)
export const isFuture = (error: unknown) => saysOutOfRange(error, /future revision/)

function saysOutOfRange(error: unknown, words: RegExp): boolean {
  const { code, details } = error as Partial<ServiceError>
  return code === status.OUT_OF_RANGE && words.test(details ?? '')
}
