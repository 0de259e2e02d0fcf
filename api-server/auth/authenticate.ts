/**
 * Turns a TLS connection into an identity. What the certificate says is worked out once a connection; whether a
 * machine's key is still wanted is asked again for every request, so that removing a key hash from its Machine cuts
 * it off at once, connections already open included.
 *
 * The server is to be created with `requestCert: true, rejectUnauthorized: false` and the authority as its `ca`.
 */
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { ANONYMOUS, AUTHENTICATED_GROUP, claimsToBeMachine, type Identity, machineOf } from './identity.ts'
import { keyHash } from './key-hash.ts'

export interface AuthenticationDeps {
  /** `status.keyHashes` of the Machine of that name; undefined or empty when there is none. Must answer at once. */
  readonly machineKeyHashes: (name: string) => readonly string[] | undefined
}

interface Credential {
  readonly identity: Identity
  /** Set for machines: counts only while the machine lists this hash. */
  readonly machine?: { readonly name: string; readonly keyHash: string }
}

/** A memo, not state: a socket's certificate never changes, and the entry goes with the socket. */
const known = new WeakMap<TLSSocket, Credential | 'refused'>()

/**
 * The identity behind a connection: `system:anonymous` when it showed no certificate; undefined, to be answered with
 * 401, when it showed one that does not count (not ours, ended, ambiguous, or a machine's that was removed).
 */
export function identify(socket: TLSSocket, deps: AuthenticationDeps): Identity | undefined {
  const credential = known.get(socket) ?? examine(socket)
  known.set(socket, credential)
  if (credential === 'refused') return undefined
  const { identity, machine } = credential
  if (machine && !deps.machineKeyHashes(machine.name)?.includes(machine.keyHash)) return undefined
  return identity
}

function examine(socket: TLSSocket): Credential | 'refused' {
  const certificate = socket.getPeerX509Certificate()
  // Asked before `authorized`, which Node also sets on a resumed TLS 1.3 session that never showed a certificate.
  if (!certificate) return { identity: ANONYMOUS }
  if (!socket.authorized) return 'refused'
  const identity = identityOf(socket.getPeerCertificate().subject)
  if (!identity) return 'refused'
  if (!claimsToBeMachine(identity)) return { identity }
  const name = machineOf(identity)
  return name === undefined ? 'refused' : { identity, machine: { name, keyHash: keyHash(certificate.publicKey) } }
}

/** Common name = user, organizations = groups, as in Kubernetes. Several common names would be a choice: refused. */
function identityOf(subject: PeerCertificate['subject']): Identity | undefined {
  const { CN, O }: { CN?: string | readonly string[]; O?: string | readonly string[] } = subject
  if (typeof CN !== 'string' || CN === '') return undefined
  return { user: CN, groups: [...[O ?? []].flat(), AUTHENTICATED_GROUP] }
}
