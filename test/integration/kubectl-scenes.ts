/** A server, and for each test and each kubectl a user and a namespace of their own: none finds what another left. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'uvu'
import { renderKubeconfig } from '../../api-server/auth/kubeconfig.ts'
import { type BoundKubectl, bindKubectl } from '../support/expect-kubectl.ts'
import type { Kubectl } from '../support/kubectl.ts'
import { type Api, startApi } from './api-raw.ts'

export interface Scene {
  readonly admin: BoundKubectl
  readonly alice: BoundKubectl
  /** Alice's user name; she is in the group `devs`. */
  readonly name: string
  readonly namespace: string
}

export type Tell = (title: string, run: (scene: Scene) => Promise<void>) => void

/** Starts the server with the suite; the result declares tests with a kubectl. */
export function scenes(test: Test): (client: Kubectl) => Tell {
  let api: Api
  let count = 0
  test.before(async () => {
    api = await startApi()
  })
  test.after(async () => api[Symbol.asyncDispose]())
  const setScene = async (client: Kubectl): Promise<Scene> => {
    const id = `${client.version.replace('.', '-')}-${count++}`
    const [name, namespace] = [`alice-${id}`, `ns-${id}`]
    const file = await kubeconfigOf(api, name)
    const admin = bindKubectl(client, () => api.server.kubeconfigPath)
    await admin('create', 'namespace', namespace)
    return { admin, alice: bindKubectl(client, () => file), name, namespace }
  }
  return (client) => (title, run) =>
    test(`${title} (kubectl ${client.version})`, async () => run(await setScene(client)))
}

async function kubeconfigOf({ server, dataDir }: Api, name: string): Promise<string> {
  const pair = await server.pki.issueClient({ commonName: name, organizations: ['devs'] })
  const file = join(dataDir, `${name}.kubeconfig`)
  const { caCertificate } = server.pki
  await writeFile(file, renderKubeconfig({ server: server.url, caCertificate, ...pair, user: name }), { mode: 0o600 })
  return file
}
