/**
 * The discovery service for clusters of etcd, in the shape of discovery.etcd.io: `/new?size=N` answers with a URL, and
 * what new members ask below that URL is asked of a folder of keys (etcd documentation, "Discovery service protocol").
 * All of it is in the keys, so it survives whatever they survive.
 */
import { randomBytes } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { failure } from './failure.ts'
import { parseForm } from './form.ts'
import { type KeysDeps, type KeysExchange, refuseFailure, serveKeys } from './keys.ts'
import { allow, send, sendNotFound, sendText } from './reply.ts'
import type { Target } from './target.ts'

const REGISTRY = '/_etcd/registry'
const TOKEN_PATH = /^\/([0-9a-f]{32})(\/.*)?$/
const NEW = '/new'
const METHODS = ['GET', 'PUT', 'POST']
const DEFAULT_SIZE = '3'
/** etcd advises against more than seven members; nothing beyond this is meant. */
const MAX_SIZE = 1_000

export function isDiscoveryPath(path: string): boolean {
  return path === NEW || TOKEN_PATH.test(path)
}

/** False when the path is none of the service's. */
export function serveDiscovery(deps: KeysDeps, exchange: KeysExchange, target: Target): boolean {
  if (target.path === NEW) {
    makeToken(deps, exchange, target.query)
    return true
  }
  const [, token, rest = ''] = TOKEN_PATH.exec(target.path) ?? []
  if (token === undefined) return false
  const folder = `${REGISTRY}/${token}`
  const { method } = exchange.request
  // Only `/new` makes tokens.
  if (method !== 'GET' && method !== 'HEAD' && !deps.replica.tree.get(`${folder}/_config/size`))
    sendNotFound(exchange.response)
  else serveKeys(deps, exchange, { path: `/v2/keys${folder}${rest}`, query: target.query })
  return true
}

function makeToken(deps: KeysDeps, exchange: KeysExchange, query: string): void {
  const { request, response } = exchange
  if (!allow(request, response, METHODS)) return
  const { host = '' } = request.headers
  const size = parseForm(query, undefined, undefined).form.get('size') ?? DEFAULT_SIZE
  if (!/^[1-9]\d{0,3}$/.test(size) || Number(size) > MAX_SIZE)
    sendText(response, 400, `size: give a whole number from 1 to ${MAX_SIZE}`)
  else if (!/^[\w.:[\]-]+$/.test(host)) sendText(response, 400, 'give a Host: the URL begins with it')
  else {
    const token = randomBytes(16).toString('hex')
    const key = `${REGISTRY}/${token}/_config/size`
    deps.access
      .mayUseKey(exchange, { key, write: true, recursive: false })
      .then((isAllowed) => {
        if (!isAllowed) refuseFailure(deps, response, failure(110, 'Insufficient credentials'), 0)
        else writeSize(deps, exchange, { key, size, url: `${protocolOf(exchange)}://${host}/${token}` })
      })
      .catch(() => sendText(response, 503, 'too many passwords are being checked'))
  }
}

function protocolOf({ request, caller }: KeysExchange): 'http' | 'https' {
  return caller.from ?? (request.socket instanceof TLSSocket ? 'https' : 'http')
}

const PLAIN = {
  dir: false,
  recursive: false,
  expires: undefined,
  refresh: false,
  prevValue: '',
  prevIndex: 0n,
} as const

interface Size {
  readonly key: string
  readonly size: string
  readonly url: string
}

function writeSize(deps: KeysDeps, { response }: KeysExchange, { key, size, url }: Size): void {
  deps.writer.submit({ ...PLAIN, do: 'create', key, value: size }, (answer) => {
    if (!answer.ok) refuseFailure(deps, response, answer.failure, answer.index)
    else send(response, 200, ['Content-Type', 'text/plain; charset=utf-8'], url)
  })
}
