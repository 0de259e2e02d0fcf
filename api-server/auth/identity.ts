/** Who is asking. The user names and groups of our own parts, so that nobody spells them twice. */
export interface Identity {
  readonly user: string
  readonly groups: readonly string[]
  readonly uid?: string | undefined
  /** Only who is impersonated has any. */
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined
}

export const MASTERS_GROUP = 'system:masters'
export const AUTHENTICATED_GROUP = 'system:authenticated'
export const MACHINES_GROUP = 'flotilla:machines'
export const CONTROLLERS_USER = 'flotilla:controllers'
export const API_SERVER_USER = 'flotilla:api-server'
/** Who comes in through the etcd v2 door's own listener. */
export const ETCD_V2_USER = 'flotilla:legacy-v2'
/** Who comes in through the fleet v1 door's own listener. */
export const FLEET_V1_USER = 'flotilla:legacy-fleet'
export const ANONYMOUS: Identity = { user: 'system:anonymous', groups: ['system:unauthenticated'] }

const MACHINE_PREFIX = 'machine:'

export function machineUser(name: string): string {
  return MACHINE_PREFIX + name
}

/** The machine an identity is, or undefined. Both the name and the group must say so. */
export function machineOf({ user, groups }: Identity): string | undefined {
  if (!user.startsWith(MACHINE_PREFIX) || !groups.includes(MACHINES_GROUP)) return undefined
  return user.slice(MACHINE_PREFIX.length) || undefined
}

/** True when an identity claims to be a machine in any way, rightly or not. */
export function claimsToBeMachine({ user, groups }: Identity): boolean {
  return user.startsWith(MACHINE_PREFIX) || groups.includes(MACHINES_GROUP)
}
