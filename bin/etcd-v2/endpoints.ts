/** Where etcd's v2 API is reached by commands: any server of it will do, Flotilla's door or etcd itself. */
import { Option } from 'commander'

export interface Endpoint {
  /** Scheme, host, port and path prefix, without a slash at the end and without credentials. */
  readonly url: string
  /** Value of the Authorization header, where the URL held a user. */
  readonly authorization: string | undefined
}

export const DEFAULT_ENDPOINT = 'http://127.0.0.1:4001'

/** `--endpoints`, with etcdctl's own variables honoured, so that both commands mean the same cluster in one shell. */
export const endpointsOption = (): Option =>
  new Option('--endpoints <urls>', 'servers of the etcd v2 API, with commas').default(
    endpointsFromEnvironment(process.env) ?? DEFAULT_ENDPOINT,
    `$FLOTILLA_ENDPOINTS, $ETCDCTL_ENDPOINTS, else ${DEFAULT_ENDPOINT}`,
  )

/** FLOTILLA_ENDPOINTS, else what etcdctl reads: ETCDCTL_ENDPOINTS, or ETCDCTL_ENDPOINT of its older versions. */
export function endpointsFromEnvironment(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.FLOTILLA_ENDPOINTS || env.ETCDCTL_ENDPOINTS || env.ETCDCTL_ENDPOINT || undefined
}

/** `http://a:4001,https://user:password@b:2379`; a bare `host:port` is http. Throws a sentence. */
export function parseEndpoints(text: string): Endpoint[] {
  const urls = text.split(',').map((part) => part.trim())
  return urls.filter((url) => url !== '').map(parseEndpoint)
}

function parseEndpoint(text: string): Endpoint {
  const spelled = text.includes('://') ? text : `http://${text}`
  if (!URL.canParse(spelled)) throw new Error(`"${text}" is no endpoint: give for example ${DEFAULT_ENDPOINT}`)
  const url = new URL(spelled)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`"${text}" is no endpoint: its scheme must be http or https`)
  const { username, password } = url
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    authorization: username === '' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  }
}
