/**
 * Encrypts with the machine's own key (/var/lib/systemd/credential.secret), which systemd makes at the first use and with
 * which it decrypts when a service starts. Not with a TPM: what a firmware update changes must not stop services.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { withDeadline } from '../../../controllers/lib/deadline.ts'

/** Answers the blob for a credential of that name. Rejects with what systemd-creds says; the value is in no message. */
export type Encrypt = (credential: string, plain: Uint8Array, signal: AbortSignal) => Promise<string>

const DEADLINE_MS = 10_000

export const encryptForHost: Encrypt = (credential, plain, signal) =>
  withDeadline(signal, DEADLINE_MS, async (within) => {
    const args = ['encrypt', '--with-key=host', `--name=${credential}`, '-', '-']
    const child = spawn('systemd-creds', args, { stdio: ['pipe', 'pipe', 'pipe'], signal: within })
    const exit = new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) => reject(explained(error)))
      child.once('close', resolve)
    })
    // A child that ends early closes the pipe: its own words say more.
    child.stdin.on('error', () => undefined)
    child.stdin.end(plain)
    const [code, blob, complaint] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
    if (code !== 0) throw new Error(`systemd-creds: ${complaint.trim() || `exit status ${code}`}`)
    return blob
  })

function explained(error: Error): Error {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return isMissing ? new Error('systemd-creds is not on this machine; it comes with systemd 250') : error
}
