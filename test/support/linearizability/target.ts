/** Where an API server is and how to show oneself to it, out of the kubeconfig it wrote. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Target {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }]
}

export function targetOf(kubeconfigPath: string): Target {
  const { clusters, users } = parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig
  const { cluster } = clusters[0]
  const { user } = users[0]
  const { hostname, port } = new URL(cluster.server ?? '')
  const decoded = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString()
  return {
    host: hostname,
    port: Number(port),
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  }
}
