/**
 * What makes a block of a backup believable: a SHA-256 where the file is plain, AES-256-GCM's tag where it is encrypted.
 * Either covers the header, the block's place and whether it is the last one, so blocks can be neither changed, moved,
 * left out nor taken from another file. The key is made for one file (scrypt over a salt of its own), which is why a
 * block's number may serve as the nonce.
 */
import { createCipheriv, createDecipheriv, createHash, scrypt } from 'node:crypto'

export interface Seal {
  readonly sealBytes: number
  close(place: Place, plain: Uint8Array): { readonly bytes: Buffer; readonly seal: Buffer }
  /** Undefined where the block is not what was sealed. */
  open(place: Place, bytes: Buffer, seal: Buffer): Buffer | undefined
}

export interface Place {
  readonly index: number
  readonly isLast: boolean
}

/** 32 MiB and about a tenth of a second: nothing for its owner, much for who tries a dictionary. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const KEY_BYTES = 32
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

function placeBytes({ index, isLast }: Place): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(index)
  bytes[4] = isLast ? 1 : 0
  return bytes
}

export function checksums(header: Uint8Array): Seal {
  const sealOf = (place: Place, bytes: Uint8Array) =>
    createHash('sha256').update(header).update(placeBytes(place)).update(bytes).digest()
  return {
    sealBytes: 32,
    close: (place, plain) => ({ bytes: Buffer.from(plain), seal: sealOf(place, plain) }),
    open: (place, bytes, seal) => (sealOf(place, bytes).equals(seal) ? bytes : undefined),
  }
}

export async function encryption(header: Uint8Array, secret: Uint8Array, salt: Uint8Array): Promise<Seal> {
  const key = await deriveKey(secret, salt)
  const nonceOf = ({ index }: Place) => {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(index, 8)
    return nonce
  }
  const aadOf = (place: Place) => createHash('sha256').update(header).update(placeBytes(place)).digest()
  return {
    sealBytes: TAG_BYTES,
    close(place, plain) {
      const cipher = createCipheriv(CIPHER, key, nonceOf(place)).setAAD(aadOf(place))
      const bytes = Buffer.concat([cipher.update(plain), cipher.final()])
      return { bytes, seal: cipher.getAuthTag() }
    },
    open(place, bytes, seal) {
      const cipher = createDecipheriv(CIPHER, key, nonceOf(place)).setAAD(aadOf(place)).setAuthTag(seal)
      const plain = cipher.update(bytes)
      try {
        cipher.final()
        return plain
      } catch {
        return undefined // the tag does not fit; node says no more than that either
      }
    },
  }
}

function deriveKey(secret: Uint8Array, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(secret, salt, KEY_BYTES, SCRYPT, (error, key) => (error ? reject(error) : resolve(key))),
  )
}
