import type { Identity } from '../../auth/identity.ts'

/** What the listener knows of who asks, beyond the request itself. */
export interface Caller {
  /** Comes from elsewhere than the door's own listener: how its client speaks to the address in its `Host`. */
  readonly from?: 'http' | 'https'
  /** The common name of the certificate that the door's own listener has asked for. */
  readonly certificateName?: string
  /** An administrator of ours: what users and roles of etcd say does not bind him. */
  readonly isAdministrator?: boolean
  /** Whose rights on objects count where keys show some; on the door's own listener those of `flotilla:legacy-v2`. */
  readonly identity?: Identity
}
