/** What all listeners of one server share. */
import type { Authorizer } from '../auth/rbac/authorizer.ts'
import type { AuditLog } from './audit.ts'
import type { ControlPlane } from './control-plane.ts'
import type { HealthCheck } from './health.ts'
import type { Metrics } from './metrics.ts'
import type { Priority } from './priority.ts'

export interface Services {
  readonly authorizer: Authorizer
  readonly priority: Priority
  readonly metrics: Metrics
  /** Undefined where no audit log is wanted. */
  readonly audit: AuditLog | undefined
  readonly checks: readonly HealthCheck[]
  /** Undefined where the server runs no etcd of its own. */
  readonly controlPlane?: ControlPlane | undefined
}
