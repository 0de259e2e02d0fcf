/** Shared by every kind of our own. */
export const FLOTILLA = { group: 'flotilla.dev', version: 'v1', categories: ['flotilla'] } as const

/** Namespace of the machines' heartbeat Leases (D6). */
export const MACHINE_LEASES = 'flotilla-machines'

/** Cluster-scoped objects keep their Events here (D11). */
export const EVENT_NAMESPACE = 'default'
