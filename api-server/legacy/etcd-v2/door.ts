/**
 * The etcd v2 door: what speaks etcd's first API to those who still do. Of the objects above the store it knows what its
 * projections show. Whoever hangs it on a listener decides who may come in.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { Store } from '../../store/store.ts'
import { createAccess } from './auth/access.ts'
import { createAccounts } from './auth/accounts.ts'
import { createPasswords } from './auth/passwords.ts'
import { type AuthDeps, isAuthPath, refuseCredentials, serveAuth } from './auth/serve.ts'
import { createBodyReader } from './body.ts'
import type { Caller } from './caller.ts'
import { createCatchUp } from './catch-up.ts'
import { serveDiscovery } from './discovery.ts'
import type { Answer } from './front/answer.ts'
import type { PlainRequest } from './front/request.ts'
import { createHistory } from './history.ts'
import { LOG_BOUNDS, type LogBounds, startHousekeeping } from './housekeeping.ts'
import { askKeys, isKeysPath, type KeysDeps, serveKeys } from './keys.ts'
import { clusterIdOf, memberFor, memberOf, serveMachines, serveMembers } from './member.ts'
import { type ProbeDeps, serveProbe } from './probes.ts'
import { createProjecting, type ObjectsAbove } from './projection/index.ts'
import { Replica } from './replica.ts'
import { send, sendMoved, sendNotFound, sendText, TEXT_HEADERS } from './reply.ts'
import { createCounters } from './stats.ts'
import { parseTarget } from './target.ts'
import { createWatching } from './watching.ts'
import { createWriter } from './writer.ts'

export interface EtcdV2Options {
  readonly store: Store
  /** The window of a thousand events, as etcd has it; else all kept history is served. */
  readonly strict?: boolean
  /** Where this door can be reached: clients go on to these. Asked at each request. */
  readonly clientUrls: () => readonly string[]
  /** The member's name. */
  readonly name?: string
  readonly log: Logger
  /** Without them every key is a plain one. */
  readonly objects?: ObjectsAbove
  readonly logBounds?: LogBounds
}

export interface EtcdV2Door {
  /** Answers any request; paths that etcd v2 does not know are 404. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse, caller?: Caller): void
  /** The short way of the door's own listener, for keys alone. False, and nothing was done: ask `handle`. Never throws. */
  ask(request: PlainRequest, answer: Answer): boolean
  /** Ends all open watches; clients ask again. */
  letGo(): void
  /** Lets the watchers go, waits for writes under way; the store stays open. */
  close(): Promise<void>
}

/** Rejects when the store cannot be read. */
export async function createEtcdV2Door(options: EtcdV2Options): Promise<EtcdV2Door> {
  const { store, log, strict = false } = options
  const stop = new AbortController()
  const replica = new Replica(store, log)
  const clusterId = await clusterIdOf(store)
  await replica.load(stop.signal)
  const following = replica.follow(stop.signal).catch((error: unknown) => {
    log.fatal({ err: error }, 'the etcd v2 door lost the store; restart the server')
  })
  const projecting = options.objects && createProjecting(options.objects, replica, log)
  const writer = createWriter(store, replica, log, projecting?.projector)
  const housekeeping = startHousekeeping(store, replica, writer, log, options.logBounds ?? LOG_BOUNDS)
  const routes = routesOf(options, replica, clusterId, { writer, strict, projecting })
  const projected = await projecting?.follow(writer)
  return {
    handle: (request, response, caller = {}) => handle(routes, { request, response, caller }, log),
    ask: (request, answer) => ask(routes.keys, request, answer, log),
    letGo: () => replica.hub.endAll(),
    close: async () => {
      replica.hub.endAll()
      projected?.close()
      await writer.close()
      await housekeeping.close()
      stop.abort()
      await following
    },
  }
}

interface Routes {
  readonly keys: KeysDeps
  readonly probes: ProbeDeps
  readonly auth: AuthDeps
}

function routesOf(
  { store, clientUrls, name = hostname(), log }: EtcdV2Options,
  replica: Replica,
  clusterId: string,
  { strict, ...given }: Pick<KeysDeps, 'writer' | 'projecting'> & { strict: boolean },
): Routes {
  const headers = (index: number) => [
    ...['Content-Type', 'application/json', 'X-Etcd-Cluster-Id', clusterId, 'X-Etcd-Index', String(index)],
    ...['X-Raft-Index', String(store.revision), 'X-Raft-Term', '2'],
  ]
  const counters = createCounters()
  const catchUp = createCatchUp(store, replica)
  const watching = createWatching(replica, createHistory(store, replica, strict), headers)
  const member = memberOf(name, clusterId, clientUrls)
  const bodies = createBodyReader()
  const passwords = createPasswords()
  const access = createAccess(replica, passwords)
  const accounts = createAccounts({ replica, writer: given.writer, passwords, catchUp })
  return {
    keys: { replica, ...given, watching, bodies, counters, clusterId, catchUp, headers, access },
    auth: { replica, access, accounts, bodies, clusterId, log },
    probes: { member, clusterId, replica, counters, startedMs: Date.now(), ask: catchUp },
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly caller: Caller
}

function handle(routes: Routes, exchange: Exchange, log: Logger): void {
  const { request, response } = exchange
  try {
    route(routes, exchange)
  } catch (error) {
    log.error({ err: error, method: request.method, url: request.url }, 'an etcd v2 request failed')
    if (response.headersSent) response.destroy()
    else sendText(response, 500, 'Internal Server Error')
  }
}

function ask(keys: KeysDeps, request: PlainRequest, answer: Answer, log: Logger): boolean {
  const target = parseTarget(request.url)
  if (target === undefined || 'moved' in target || !isKeysPath(target.path)) return false
  try {
    return askKeys(keys, request, target, answer)
  } catch (error) {
    log.error({ err: error, method: request.method, url: request.url }, 'an etcd v2 request failed')
    answer(500, TEXT_HEADERS, 'Internal Server Error\n')
    return true
  }
}

function route({ keys, probes, auth }: Routes, exchange: Exchange): void {
  const { request, response, caller } = exchange
  const target = parseTarget(request.url ?? '/')
  if (request.method === 'OPTIONS') send(response, 200, [], '')
  else if (target === undefined) sendText(response, 400, '400 Bad Request')
  else if ('moved' in target) sendMoved(request, response, target.moved)
  else if (isKeysPath(target.path)) serveKeys(keys, exchange, target)
  else if (target.path === '/v2/members' || target.path.startsWith('/v2/members/'))
    asRoot(auth, exchange, () =>
      serveMembers(memberFor(probes.member, caller, request), probes.clusterId, request, response, target.path),
    )
  else if (isAuthPath(target.path)) serveAuth(auth, exchange, target)
  else if (target.path === '/v2/machines') serveMachines(memberFor(probes.member, caller, request), request, response)
  else if (serveProbe(probes, request, response, target.path)) return
  else if (!serveDiscovery(keys, exchange, target)) sendNotFound(response)
}

/** Reads are everybody's. */
function asRoot({ access }: AuthDeps, exchange: Exchange, serve: () => void): void {
  const { request, response } = exchange
  if (!access.enabled || request.method === 'GET' || request.method === 'HEAD') serve()
  else
    access.isRoot(exchange).then(
      (isRoot) => (isRoot ? serve() : refuseCredentials(response)),
      () => refuseCredentials(response),
    )
}
