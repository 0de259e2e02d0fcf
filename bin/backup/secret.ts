/** What backups are locked with: a file's bytes, or a passphrase from the environment (never an argument, which `ps` shows). */
import { readFile } from 'node:fs/promises'

export const PASSPHRASE_VARIABLE = 'FLOTILLA_BACKUP_PASSPHRASE'

const MIN_BYTES = 12

/** Undefined where there is neither. Throws a sentence for a key that protects nothing. */
export async function secretOf(
  keyFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array | undefined> {
  const passphrase = env[PASSPHRASE_VARIABLE]
  if (keyFile === undefined && !passphrase) return undefined
  const bytes = keyFile === undefined ? Buffer.from(passphrase ?? '') : await readFile(keyFile)
  const secret = withoutLineEnd(bytes)
  if (secret.length >= MIN_BYTES) return secret
  throw new Error(
    `${keyFile ?? PASSPHRASE_VARIABLE} is too short for a key (${secret.length} of at least ${MIN_BYTES} bytes): openssl rand -base64 32 > key makes a good one`,
  )
}

/** So that `echo` and an editor make the same key as the variable. */
function withoutLineEnd(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0
  return bytes.subarray(0, bytes.length - end)
}
