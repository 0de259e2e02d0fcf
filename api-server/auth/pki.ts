/**
 * Every key and certificate of one installation, under `<data-dir>/pki` (0700): ca, server, and one pair for each
 * stored client. Opening it again finds the same ones; what is torn, about to end, signed by another authority or
 * lacking a name is issued anew. One process at a time writes here: the one that holds the data directory.
 */
import { X509Certificate } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { openAuthority } from './authority.ts'
import { sweepTemporaries } from './durable-file.ts'
import { keyHash } from './key-hash.ts'
import { type KeyPair, newKey, publicKeyOf, readPair, writeCertificate, writeKey } from './key-pair.ts'
import { type CertificateOrder, type Subject, signLeaf } from './sign-certificate.ts'
import { expiresWithin, validity } from './validity.ts'

export interface ClientRequest {
  readonly commonName: string
  readonly organizations?: readonly string[]
  /** Days until it ends; 365 by default. */
  readonly days?: number
  /** With any name, the certificate also serves TLS under it: a machine's one certificate does both. */
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

export interface ClientCredentials extends KeyPair {
  /** `sha256:<hex>` of the public key, as it stands in a Machine's `status.keyHashes`. */
  readonly keyHash: string
}

export interface Pki {
  /** The authority's certificate, PEM. */
  readonly caCertificate: string
  /** `sha256:<hex>` of the authority's public key. */
  readonly caHash: string
  /**
   * The API server's pair, its chain ending in the authority (a joining machine checks the chain against
   * `--ca-hash`). Kept on disk; signed anew when a wanted name is missing or fewer than 30 days are left, so a
   * long-lived server asks again once a day and hands the result to `setSecureContext`.
   */
  serverCredentials(names: readonly string[]): Promise<KeyPair>
  /** A new pair for a client; nothing is kept. */
  issueClient(request: ClientRequest): Promise<ClientCredentials>
  /** The same, kept as `<file>.key` and `<file>.crt` and renewed like the server's pair. */
  storedClient(file: string, request: ClientRequest): Promise<ClientCredentials>
  /** The administrator's stored pair: `CN=admin, O=system:masters`. */
  adminCredentials(): Promise<ClientCredentials>
}

export interface PkiOptions {
  /** The clock, milliseconds since 1970. */
  readonly now?: () => number
}

type Order = Omit<CertificateOrder, 'publicKey' | 'notBefore' | 'notAfter'>

const LEAF_DAYS = 365
const RENEW_DAYS = 30
const SERVER = 'server'
const SERVER_SUBJECT: Subject = { commonName: 'flotilla' }
const ADMIN: ClientRequest = { commonName: 'admin', organizations: ['system:masters'] }

/** Opens the installation's keys, making the authority on the first start. Throws when a file cannot be read or mended. */
export async function openPki(dataDir: string, { now = Date.now }: PkiOptions = {}): Promise<Pki> {
  const folder = join(dataDir, 'pki')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await sweepTemporaries(folder, now())
  const authority = await openAuthority(folder, now())
  const inTurn = oneAtATime()

  const issue = async (order: Order, days: number): Promise<KeyPair> => {
    const key = await newKey()
    const certificate = await signLeaf(authority, { ...order, publicKey: publicKeyOf(key), ...validity(days, now()) })
    return { certificate: order.serves ? certificate + authority.certificate : certificate, key }
  }
  const stored = (file: string, order: Order, days: number): Promise<KeyPair> =>
    inTurn(async () => {
      const found = await readPair(folder, file)
      if (found && isCurrent(found, order, authority.certificate, now())) return found
      const pair = await issue(order, days)
      await writeKey(folder, file, pair.key)
      await writeCertificate(folder, file, pair.certificate)
      return pair
    })
  const storedClient = async (file: string, request: ClientRequest): Promise<ClientCredentials> =>
    withKeyHash(await stored(file, clientOrder(request), request.days ?? LEAF_DAYS))

  return {
    caCertificate: authority.certificate,
    caHash: authority.hash,
    serverCredentials: (names) =>
      stored(SERVER, { subject: SERVER_SUBJECT, names: [...new Set(names)], serves: true, dials: false }, LEAF_DAYS),
    issueClient: async (request) => withKeyHash(await issue(clientOrder(request), request.days ?? LEAF_DAYS)),
    storedClient,
    adminCredentials: () => storedClient('admin', ADMIN),
  }
}

function clientOrder({ commonName, organizations = [], dnsNames = [], ipAddresses = [] }: ClientRequest): Order {
  const names = [...dnsNames, ...ipAddresses]
  return { subject: { commonName, organizations }, names, serves: names.length > 0, dials: true }
}

function withKeyHash(pair: KeyPair): ClientCredentials {
  return { ...pair, keyHash: keyHash(publicKeyOf(pair.key)) }
}

/** Whether a stored pair still says what is wanted, under today's authority, for long enough. */
function isCurrent(pair: KeyPair, order: Order, caCertificate: string, nowMs: number): boolean {
  const leaf = new X509Certificate(pair.certificate)
  const ca = new X509Certificate(caCertificate)
  return (
    leaf.checkIssued(ca) &&
    leaf.verify(ca.publicKey) &&
    pair.certificate.includes(caCertificate) === order.serves &&
    !expiresWithin(leaf, RENEW_DAYS, nowMs) &&
    hasSubject(leaf, order.subject) &&
    order.names.every((name) => covers(leaf, name))
  )
}

function covers(leaf: X509Certificate, name: string): boolean {
  if (isIP(name)) return leaf.checkIP(name) !== undefined
  return leaf.checkHost(name, { subject: 'never' }) !== undefined
}

function hasSubject(leaf: X509Certificate, { commonName, organizations = [] }: Subject): boolean {
  const { CN, O } = leaf.toLegacyObject().subject
  return JSON.stringify([CN, [O ?? []].flat()]) === JSON.stringify([commonName, organizations])
}

/** Runs what it is given one after another, so that two callers never interleave the two files of a pair. */
function oneAtATime(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const next = last.then(run, run)
    last = next.catch(() => undefined) // the caller sees the failure; the next in turn does not
    return next
  }
}
