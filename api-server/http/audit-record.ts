/** A request as its line in the audit log. */
import type { IncomingMessage } from 'node:http'
import type { AuditRecord } from './audit.ts'
import type { RequestRecord } from './request-record.ts'

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

/** Reviews ask and change nothing: they have no target and are no writes. */
export function isWrite({ target, verb }: RequestRecord): boolean {
  return target !== undefined && WRITES.has(verb)
}

const MAX_NAMES = 100

const START = Date.now().toString(36)
let count = 0

/** Unlike any other of this installation: when the process started, which process, and a number. */
export function nextRequestId(): string {
  count++
  return `${START}-${process.pid.toString(36)}-${count.toString(36)}`
}

export function auditRecordOf(
  { caller, verb, target, wrote, deleted, query, id = '', startedMs }: RequestRecord,
  request: IncomingMessage,
  code: number,
): AuditRecord {
  return {
    time: new Date().toISOString(),
    requestId: id,
    user: caller?.identity.user,
    groups: caller?.identity.groups,
    impersonatedBy: caller?.impersonatedBy?.user,
    verb,
    group: target?.kind.group ?? '',
    resource: target?.kind.plural ?? '',
    subresource: target?.subresource,
    namespace: target?.namespace,
    name: wrote?.name ?? target?.name,
    deleted: deleted?.slice(0, MAX_NAMES),
    deletedCount: deleted?.length,
    dryRun: query.getAll('dryRun').includes('All') ? true : undefined,
    code,
    resourceVersion: wrote?.resourceVersion,
    latencyMs: Math.round((performance.now() - startedMs) * 100) / 100,
    source: request.socket.remoteAddress,
  }
}
