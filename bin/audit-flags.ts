/** What of the writes goes on record, and where: the same for `up` and `server`. */
import { resolve } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import type { ApiServerOptions } from '../api-server/main.ts'

export interface AuditFlags {
  /** Undefined: `audit.log` in the data folder. */
  readonly auditLog?: string
  readonly auditLogMaxSize: number
  readonly auditExclude?: 'heartbeats'
}

const MIB = 1024 * 1024

export const auditOptions = () => [
  new Option(
    '--audit-log <file>',
    'where every write is put on record, as JSON lines; none: nowhere (default: audit.log in the data folder)',
  ).env('FLOTILLA_AUDIT_LOG'),
  new Option('--audit-log-max-size <mib>', 'a file this large is put aside; eight of them are kept')
    .env('FLOTILLA_AUDIT_LOG_MAX_SIZE')
    .argParser(parseSize)
    .default(64),
  new Option(
    '--audit-exclude <what>',
    'leave out of the record: heartbeats, the Lease renewals of machines and leaders that succeed',
  )
    .env('FLOTILLA_AUDIT_EXCLUDE')
    .choices(['heartbeats']),
]

export function auditOf({
  auditLog,
  auditLogMaxSize,
  auditExclude,
}: AuditFlags): Required<Pick<ApiServerOptions, 'audit'>> {
  if (auditLog === 'none') return { audit: false }
  return {
    audit: {
      ...(auditLog !== undefined && { file: resolve(auditLog) }),
      maxBytes: auditLogMaxSize * MIB,
      withHeartbeats: auditExclude !== 'heartbeats',
    },
  }
}

function parseSize(text: string): number {
  const size = Number(text)
  if (!Number.isInteger(size) || size < 1 || size > 1024 * 1024)
    throw new InvalidArgumentError('a whole number of MiB, at least 1.')
  return size
}
