import { writeDurable } from './durable-file.ts'

/** What a kubeconfig says; certificates and key are PEM. `cluster` names its cluster and context. */
export interface KubeconfigContent {
  readonly server: string
  readonly caCertificate: string
  readonly certificate: string
  readonly key: string
  readonly user: string
  readonly cluster?: string
  /** The name the server's certificate is checked against, where it is not the one in the URL. */
  readonly tlsServerName?: string
}

/** The file's text. Scalars are JSON strings, which YAML reads as they are: no name can break out of its place. */
export function renderKubeconfig(content: KubeconfigContent): string {
  const cluster = quote(content.cluster ?? 'flotilla')
  const user = quote(content.user)
  const lines = [
    'apiVersion: v1',
    'kind: Config',
    `current-context: ${cluster}`,
    'clusters:',
    `- name: ${cluster}`,
    '  cluster:',
    `    server: ${quote(content.server)}`,
    `    certificate-authority-data: ${base64(content.caCertificate)}`,
    ...(content.tlsServerName === undefined ? [] : [`    tls-server-name: ${quote(content.tlsServerName)}`]),
    'users:',
    `- name: ${user}`,
    '  user:',
    `    client-certificate-data: ${base64(content.certificate)}`,
    `    client-key-data: ${base64(content.key)}`,
    'contexts:',
    `- name: ${cluster}`,
    '  context:',
    `    cluster: ${cluster}`,
    `    user: ${user}`,
  ]
  return `${lines.join('\n')}\n`
}

/** Writes it for its owner alone (0600), atomically. */
export function writeKubeconfig(path: string, content: KubeconfigContent): Promise<void> {
  return writeDurable(path, renderKubeconfig(content), 0o600)
}

const quote = (text: string): string => JSON.stringify(text)
const base64 = (text: string): string => Buffer.from(text).toString('base64')
