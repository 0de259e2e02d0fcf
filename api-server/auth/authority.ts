/**
 * The certificate authority of one installation: `<folder>/ca.key` and `ca.crt`, made once. The key is written first
 * and never again; the certificate is only a statement about the key, so a lost, torn or ageing one is signed anew
 * and everything the key has signed stays valid. The reverse, a certificate whose key is gone, is never repaired by
 * inventing a key: machines that joined would silently be cut off, so it is refused and a person decides.
 */
import { X509Certificate } from 'node:crypto'
import { keyHash } from './key-hash.ts'
import {
  belongTogether,
  newKey,
  publicKeyOf,
  readCertificate,
  readKey,
  writeCertificate,
  writeKey,
} from './key-pair.ts'
import { type Issuer, signAuthority } from './sign-certificate.ts'
import { expiresWithin, validity } from './validity.ts'

export interface Authority extends Issuer {
  /** The authority's own certificate, PEM. */
  readonly certificate: string
  /** `sha256:<hex>` of its public key: what `--ca-hash` pins. */
  readonly hash: string
}

const NAME = 'ca'
const LIFETIME_DAYS = 3650
const RENEW_DAYS = 400 // longer than anything it signs, so a leaf never outlives the authority above it

/** Reads the authority, making or mending it first. Throws when its certificate is there but its key is not. */
export async function openAuthority(folder: string, nowMs: number): Promise<Authority> {
  const [storedKey, stored] = await Promise.all([readKey(folder, NAME), readCertificate(folder, NAME)])
  if (stored !== undefined && (storedKey === undefined || !belongTogether({ certificate: stored, key: storedKey }))) {
    throw new Error(
      `${folder}/ca.crt is there without the ca.key that belongs to it: put the key back from a backup, or remove ca.crt and ca.key to start a new authority, which every machine then has to join again`,
    )
  }
  const key = storedKey ?? (await makeKey(folder))
  const hash = keyHash(publicKeyOf(key))
  const issuer: Issuer = { subject: { commonName: `Flotilla CA ${hash.slice('sha256:'.length, 15)}` }, key }
  const certificate = stored !== undefined && !expires(stored, nowMs) ? stored : await certify(folder, issuer, nowMs)
  return { ...issuer, certificate, hash }
}

function expires(certificate: string, nowMs: number): boolean {
  return expiresWithin(new X509Certificate(certificate), RENEW_DAYS, nowMs)
}

async function makeKey(folder: string): Promise<string> {
  const key = await newKey()
  await writeKey(folder, NAME, key)
  return key
}

async function certify(folder: string, issuer: Issuer, nowMs: number): Promise<string> {
  const { notBefore, notAfter } = validity(LIFETIME_DAYS, nowMs)
  const certificate = await signAuthority(issuer, notBefore, notAfter)
  await writeCertificate(folder, NAME, certificate)
  return certificate
}
