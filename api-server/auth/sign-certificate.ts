import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type { Extension, JsonGeneralNames } from '@peculiar/x509'

/** Who and what a certificate speaks for. Names are data: they are never joined into one string and parsed again. */
export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

/** What to sign. `serves` / `dials`: may answer TLS connections / may open them. `names`: DNS names and IP addresses. */
export interface CertificateOrder {
  readonly subject: Subject
  readonly publicKey: KeyObject
  readonly names: readonly string[]
  readonly serves: boolean
  readonly dials: boolean
  readonly notBefore: Date
  readonly notAfter: Date
}

/** An authority: its subject and its private key, PEM (PKCS #8). Only ECDSA P-256 keys are used. */
export interface Issuer {
  readonly subject: Subject
  readonly key: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Signs an end entity's certificate; PEM. */
export async function signLeaf(issuer: Issuer, order: CertificateOrder): Promise<string> {
  const x509 = await loadX509()
  const keys = await keyPair(issuer.key)
  const { digitalSignature } = x509.KeyUsageFlags
  const uses = [
    ...(order.serves ? [x509.ExtendedKeyUsage.serverAuth] : []),
    ...(order.dials ? [x509.ExtendedKeyUsage.clientAuth] : []),
  ]
  const publicKey = spki(order.publicKey)
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(digitalSignature, true),
    new x509.ExtendedKeyUsageExtension(uses),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
  ]
  if (order.names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(generalNames(order.names)))
  const certificate = await x509.X509CertificateGenerator.create({
    subject: jsonName(order.subject),
    issuer: jsonName(issuer.subject),
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: keys.privateKey,
    extensions,
  })
  return `${certificate.toString('pem')}\n`
}

/** Signs an authority's own certificate; PEM. Signing the same key again gives a certificate old leaves still verify with. */
export async function signAuthority(issuer: Issuer, notBefore: Date, notAfter: Date): Promise<string> {
  const x509 = await loadX509()
  const keys = await keyPair(issuer.key)
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: jsonName(issuer.subject),
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true), // signs machines and servers, never another authority
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** Loaded only when something must be signed: a start that finds everything on disk saves the quarter of a second. */
async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata') // x509's decorators read it while they load, so it goes first
  return import('@peculiar/x509')
}

function jsonName({ commonName, organizations = [] }: Subject): Record<string, string[]>[] {
  return [...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }]
}

function generalNames(names: readonly string[]): JsonGeneralNames {
  return names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))
}

async function keyPair(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(pem)
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']),
    webcrypto.subtle.importKey('spki', spki(createPublicKey(key)), ALGORITHM, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' })
}
