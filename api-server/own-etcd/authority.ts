/** The authority of the cluster that a server joins becomes its own, once and for all. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { keyHash } from '../auth/key-hash.ts'
import { belongTogether, publicKeyOf, readCertificate, readKey, writeCertificate, writeKey } from '../auth/key-pair.ts'
import type { ControlPlaneCredentials } from '../http/control-plane.ts'

type Pair = Pick<ControlPlaneCredentials, 'caCertificate' | 'caKey'>

/** Throws a sentence where this data directory belongs to another installation, or the pair is none. */
export async function adoptAuthority(dataDir: string, { caCertificate, caKey }: Pair): Promise<void> {
  if (!belongTogether({ certificate: caCertificate, key: caKey }))
    throw new Error("the server's answer is no authority: its key and its certificate do not belong together")
  const folder = join(dataDir, 'pki')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const own = await readKey(folder, 'ca')
  if (own !== undefined && keyHash(publicKeyOf(own)) !== keyHash(publicKeyOf(caKey)))
    throw new Error(
      `${dataDir} belongs to another installation (its ${folder}/ca.key is another one): join with an empty --data-dir`,
    )
  // The key first: a certificate without its key is what nobody may repair.
  if (own === undefined) await writeKey(folder, 'ca', caKey)
  if ((await readCertificate(folder, 'ca')) === undefined) await writeCertificate(folder, 'ca', caCertificate)
}

/** What a server that joins is given. */
export async function readAuthority(dataDir: string): Promise<Pair> {
  const folder = join(dataDir, 'pki')
  const [caKey, caCertificate] = await Promise.all([readKey(folder, 'ca'), readCertificate(folder, 'ca')])
  if (caKey === undefined || caCertificate === undefined) throw new Error(`${folder} has lost its authority`)
  return { caCertificate, caKey }
}
