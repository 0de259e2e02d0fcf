/** Everything that is not an object: discovery, OpenAPI, version, health. */
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { noSuchPath } from '../registry/errors.ts'
import { KUBERNETES_VERSION } from '../version.ts'
import type { Discovery } from './discovery.ts'
import { healthOf } from './health.ts'
import { METRICS_TYPE } from './metrics-text.ts'
import type { OpenApi } from './openapi.ts'
import { OPENAPI_V2_PROTOBUF } from './openapi-v2.ts'
import { CACHE_CONTROL, sendBytes } from './reply.ts'
import type { Services } from './services.ts'

export interface Documents {
  /** As the kinds are now. */
  readonly discovery: () => Discovery
  readonly openApi: OpenApi
  readonly options: { readonly services: Pick<Services, 'checks' | 'metrics'> }
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
  const discovered = documents.discovery()(path, request.headers.accept)
  if (discovered) {
    const { contentType, etag, body } = discovered
    sendBytes(response, 200, body, { 'content-type': contentType, etag, vary: 'Accept' })
  } else if (path === '/version') sendBytes(response, 200, JSON.stringify(KUBERNETES_VERSION))
  else if (path.startsWith('/openapi/')) serveOpenApi(documents, path, request, response)
  else serveState(documents, path, query, response)
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

/** How the server does: for probes and for Prometheus. */
function serveState({ options }: Documents, path: string, query: URLSearchParams, response: ServerResponse): void {
  const { metrics, checks } = options.services
  if (path === '/metrics') {
    sendBytes(response, 200, metrics.render(), { 'content-type': METRICS_TYPE })
    return
  }
  const health = healthOf(checks, path, query)
  if (health === undefined) throw noSuchPath()
  sendBytes(response, health.code, health.text, { 'content-type': 'text/plain; charset=utf-8' })
}
