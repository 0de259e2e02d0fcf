/** `spec.credentials` as a drop-in: systemd decrypts the file into $CREDENTIALS_DIRECTORY, which never is on a disk. */
import type { DropIn } from '../driver.ts'
import type { Credential, Sources } from './sources.ts'

const NAME = 'zz-flotilla-credentials.conf'

export function credentialsDropIn(
  section: string,
  credentials: readonly Credential[],
  sources: Sources,
): readonly DropIn[] {
  const lines = credentials.flatMap(({ name, secretKeyRef: { name: secret, key } }) => {
    const found = sources.secretKey(secret, key, name)
    return 'blobPath' in found ? [`LoadCredentialEncrypted=${name}:${escapePath(found.blobPath)}\n`] : []
  })
  return lines.length === 0 ? [] : [{ name: NAME, content: `[${section}]\n${lines.join('')}` }]
}

/** The value is one word with specifiers. */
function escapePath(path: string): string {
  return path
    .replace(/%/g, '%%')
    .replace(/[\\\s"']/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
