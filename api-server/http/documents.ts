/** Everything that is not an object: discovery, OpenAPI, version, health. */
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { noSuchPath } from '../registry/errors.ts'
import { KUBERNETES_VERSION } from '../version.ts'
import type { Discovery } from './discovery.ts'
import type { OpenApi } from './openapi.ts'
import { OPENAPI_V2_PROTOBUF } from './openapi-v2.ts'
import { CACHE_CONTROL, sendBytes } from './reply.ts'

export interface Documents {
  readonly discovery: Discovery
  readonly openApi: OpenApi
  /** What keeps the server from being relied on; undefined when nothing does. */
  readonly ready: () => string | undefined
}

const OPENAPI_V3 = '/openapi/v3/'

/** Throws 404 for what is not served. */
export function serveDocument(
  documents: Documents,
  path: string,
  query: URLSearchParams,
  request: FastifyRequest,
  response: ServerResponse,
): void {
  const discovered = documents.discovery(path, request.headers.accept)
  if (discovered) {
    const { contentType, etag, body } = discovered
    sendBytes(response, 200, body, { 'content-type': contentType, etag, vary: 'Accept' })
  } else if (path === '/version') sendBytes(response, 200, JSON.stringify(KUBERNETES_VERSION))
  else if (path === '/healthz' || path === '/livez') sendText(response, 200, 'ok')
  else if (path === '/readyz') sendReadiness(documents, query, response)
  else if (path.startsWith('/openapi/')) serveOpenApi(documents, path, request, response)
  else throw noSuchPath()
}

function serveOpenApi({ openApi }: Documents, path: string, request: FastifyRequest, response: ServerResponse): void {
  if (path === '/openapi/v2') {
    sendOpenApiV2(openApi, request, response)
    return
  }
  const body =
    path === '/openapi/v3'
      ? openApi.index()
      : openApi.v3(path.startsWith(OPENAPI_V3) ? path.slice(OPENAPI_V3.length) : '')
  if (body === undefined) throw noSuchPath()
  sendBytes(response, 200, body)
}

/** Only as protobuf: kubectl cannot read this document as JSON and would refuse to apply anything. */
function sendOpenApiV2(openApi: OpenApi, request: FastifyRequest, response: ServerResponse): void {
  const { body, etag } = openApi.v2()
  if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag, 'cache-control': CACHE_CONTROL }).end()
  else sendBytes(response, 200, body, { 'content-type': OPENAPI_V2_PROTOBUF, etag })
}

function sendText(response: ServerResponse, code: number, text: string): void {
  sendBytes(response, code, text, { 'content-type': 'text/plain; charset=utf-8' })
}

function sendReadiness({ ready }: Documents, query: URLSearchParams, response: ServerResponse): void {
  const failing = ready()
  const details = `[${failing ? '-' : '+'}]store ${failing ?? 'ok'}\n`
  if (failing === undefined) sendText(response, 200, query.has('verbose') ? `${details}readyz check passed\n` : 'ok')
  else sendText(response, 500, `${details}readyz check failed\n`)
}
