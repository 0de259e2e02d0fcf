import { createHash, type KeyObject } from 'node:crypto'

/**
 * How we name a public key: `sha256:<hex>` over its SubjectPublicKeyInfo. Used for the authority (`--ca-hash`) and for
 * machines (`status.keyHashes`); it names the key, so it outlives every renewal of the certificate around it.
 */
export function keyHash(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`
}
