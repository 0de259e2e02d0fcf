/** Makes a machine known before it first calls: its certificate, and its key's hash in the Machine object (D9). */
import { isDeepStrictEqual } from 'node:util'
import { MACHINES_GROUP, machineUser } from '../../api-server/auth/identity.ts'
import { renderKubeconfig } from '../../api-server/auth/kubeconfig.ts'
import type { ApiServer } from '../../api-server/main.ts'
import { StatusError } from '../../api-server/registry/errors.ts'
import { Machine } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'

export interface MachineIdentity {
  readonly kubeconfig: string
  readonly certificate: string
  readonly key: string
  readonly ca: string
}

/** `server` is the URL under which the machine reaches the API server; `address` is where its own door answers. */
export async function machineIdentity(
  { pki, registry }: ApiServer,
  name: string,
  server: string,
  address: string,
): Promise<MachineIdentity> {
  const user = machineUser(name)
  const { certificate, key, keyHash } = await pki.storedClient(`machine-${name}`, {
    commonName: user,
    organizations: [MACHINES_GROUP],
    dnsNames: [`machine-${name}`],
    ipAddresses: [address],
  })
  await admit(registry, name, keyHash)
  const ca = pki.caCertificate
  const kubeconfig = renderKubeconfig({ server, caCertificate: ca, certificate, key, user, tlsServerName: 'flotilla' })
  return { kubeconfig, certificate, key, ca }
}

async function admit(registry: ApiServer['registry'], name: string, keyHash: string): Promise<void> {
  const place = { kind: Machine as Kind, namespace: undefined, name }
  await registry
    .create(Machine, undefined, { apiVersion: Machine.apiVersion, kind: 'Machine', metadata: { name } })
    .catch((error: unknown) => {
      if (!(error instanceof StatusError && error.status.code === 409)) throw error
    })
  await registry.update(place, (machine) => withKeyHash(machine, keyHash), 'status')
}

function withKeyHash(machine: ApiObject, keyHash: string): ApiObject {
  const status = (machine.status ?? {}) as { keyHashes?: string[] }
  return isDeepStrictEqual(status.keyHashes, [keyHash])
    ? machine
    : { ...machine, status: { ...status, keyHashes: [keyHash] } }
}
