/**
 * Who we are towards the API server. client-node's KubeConfig knows every way of saying so (certificates, tokens, exec
 * plug-ins, proxies); but it makes a new connection pool for every request, so its pool factory is replaced by ours.
 */
import { KubeConfig, type Watch } from '@kubernetes/client-node'
import { Agent, type Dispatcher } from 'undici'
import type { ConnectOptions } from './client.ts'

export interface Access {
  readonly dispatcher: Dispatcher
  readonly headers: Readonly<Record<string, string>>
}

export interface Credentials {
  /** Scheme, host, port and path prefix, without a slash at the end. */
  readonly server: string
  /** What to send requests with; read again from the kubeconfig's files at most once a minute. */
  access(): Promise<Access>
  /** The server did not accept us: read them again with the next call. */
  refused(): void
  /** For client-node's Watch; pools of its own, since every watch keeps a connection. */
  readonly forWatch: ConstructorParameters<typeof Watch>[0]
  close(): Promise<void>
}
