/** When an answer has left, or its client has: the seat is free, the request is counted, a write is put on record. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { auditRecordOf, isWrite, nextRequestId } from './audit-record.ts'
import type { RequestRecord } from './request-record.ts'
import type { Services } from './services.ts'

/** What a client that left before its answer is counted as. */
const CLIENT_GONE = 499

/** To be called when it is known what the request is, before it is answered. */
export function identifyWrite(record: RequestRecord, response: ServerResponse): void {
  if (!isWrite(record)) return
  record.id = nextRequestId()
  response.setHeader('audit-id', record.id)
}

export function followToItsEnd(
  services: Services,
  record: RequestRecord,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  response.on('close', () => {
    record.place?.release()
    requestEnded(services, record, request, response.headersSent ? response.statusCode : CLIENT_GONE)
  })
}

export function requestEnded(
  { metrics, audit }: Services,
  record: RequestRecord,
  request: IncomingMessage,
  code: number,
): void {
  metrics.requestEnded(record, code)
  if (audit !== undefined && isWrite(record)) audit.write(auditRecordOf(record, request, code))
}
