/** What the listener knows of who asks, beyond the request itself. */
export interface Caller {
  /** Comes from elsewhere than the door's own listener: how its client speaks to the address in its `Host`. */
  readonly from?: 'http' | 'https'
  /** An administrator of ours: what users and roles of etcd say does not bind him. */
  readonly isAdministrator?: boolean
}
