/**
 * Who a client of etcd believes it talks to: one member, this door. Clients go on to the URLs found here, so they are
 * the ones at which this door answers. Members are Flotilla's to manage: nobody adds or removes them here.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Store } from '../../store/store.ts'
import type { Caller } from './caller.ts'
import { CLUSTER_KEY } from './records.ts'
import { allow, send, sendText } from './reply.ts'

export interface Member {
  readonly id: string
  readonly name: string
  readonly clientUrls: () => readonly string[]
}

/** The cluster's id is made once and kept with the data: backups and all servers share it. */
export async function clusterIdOf(store: Store): Promise<string> {
  const { kv } = await store.get(CLUSTER_KEY)
  if (kv !== undefined) return Buffer.from(kv.value).toString('latin1')
  const value = Buffer.from(randomBytes(8).toString('hex').replace(/^0/, '1'), 'latin1')
  await store.txn({
    compare: [{ key: CLUSTER_KEY, modified: 0n }],
    operations: [{ do: 'put', key: CLUSTER_KEY, value }],
  })
  return clusterIdOf(store)
}

export function memberOf(name: string, clusterId: string, clientUrls: () => readonly string[]): Member {
  const id = createHash('sha256').update(`${clusterId}/${name}`).digest('hex').slice(0, 16).replace(/^0/, '1')
  return { id, name, clientUrls }
}

/** The address that the client itself has used, where that of the listener is every address or another machine's. */
export function memberFor(member: Member, { from }: Caller, { headers: { host = '' } }: IncomingMessage): Member {
  if (!/^[\w.:[\]-]+$/.test(host)) return member
  if (from !== undefined) return { ...member, clientUrls: () => [`${from}://${host}`] }
  const reachable = (url: string) => url.replace(ANY_ADDRESS, `$1${host}`)
  return { ...member, clientUrls: () => member.clientUrls().map(reachable) }
}

const ANY_ADDRESS = /^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?::\d+)?$/

function shown({ id, name, clientUrls }: Member) {
  const urls = clientUrls()
  return { id, name, peerURLs: urls, clientURLs: urls }
}

const METHODS = ['GET', 'POST', 'DELETE', 'PUT']
const NOT_HERE = "members are Flotilla's to manage: add or remove its servers, not members of this API"

export function serveMembers(
  member: Member,
  clusterId: string,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  if (!allow(request, response, METHODS)) return
  const cluster = ['X-Etcd-Cluster-Id', clusterId]
  const json = [...cluster, 'Content-Type', 'application/json']
  const rest = path.slice('/v2/members'.length).replace(/^\//, '')
  if (request.method === 'GET') {
    if (rest === '') send(response, 200, json, `${JSON.stringify({ members: [shown(member)] })}\n`)
    else if (rest === 'leader') send(response, 200, json, `${JSON.stringify(shown(member))}\n`)
    else send(response, 404, json, '{"message":"Not found"}')
  } else if (request.method !== 'POST' && rest === '') sendText(response, 405, 'Method Not Allowed', cluster)
  else send(response, 403, json, JSON.stringify({ message: NOT_HERE }))
}

export function serveMachines({ clientUrls }: Member, request: IncomingMessage, response: ServerResponse): void {
  if (!allow(request, response, ['GET', 'HEAD'])) return
  send(response, 200, ['Content-Type', 'text/plain; charset=utf-8'], clientUrls().join(', '))
}
