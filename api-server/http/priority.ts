/**
 * Which requests go first. What keeps the fleet alive (a machine's heartbeat and reports, the controllers' work) has a
 * lane of its own; everybody else shares the other one fairly, and it is narrow enough that the event loop keeps its
 * turns short. Probes wait for nothing: a server that is busy is not a server that is dead.
 */
import { API_SERVER_USER, CONTROLLERS_USER, machineOf } from '../auth/identity.ts'
import type { Registry } from '../registry/registry.ts'
import { Lane, type LaneOptions, type Ticket, type Turn } from './priority-lane.ts'
import type { RequestRecord } from './request-record.ts'

export interface Priority {
  readonly lanes: Readonly<Record<LaneName, Lane>>
  /** Undefined for what passes without a seat. */
  enter(record: RequestRecord, turn: Turn): Ticket | undefined
}

type LaneName = 'fleet' | 'others'

const LANES: Readonly<Record<LaneName, LaneOptions>> = {
  fleet: { seats: 512, seatsPerUser: 384, queuePerUser: 2_048, queueTotal: 16_384, waitMs: 15_000, holdMs: 1_000 },
  others: { seats: 256, seatsPerUser: 192, queuePerUser: 512, queueTotal: 8_192, waitMs: 15_000, holdMs: 1_000 },
}

/** A list is as much work as it has objects. */
const OBJECTS_A_SEAT = 300
const MAX_SEATS_A_REQUEST = 32

export function createPriority(
  registry: Registry,
  options: Partial<Record<LaneName, Partial<LaneOptions>>> = {},
): Priority {
  const lanes = {
    fleet: new Lane({ ...LANES.fleet, ...options.fleet }),
    others: new Lane({ ...LANES.others, ...options.others }),
  }
  return {
    lanes,
    enter: (record, turn) => {
      const { caller } = record
      if (caller === undefined || record.probe) {
        turn.start()
        return undefined
      }
      const { user } = caller.impersonatedBy ?? caller.identity
      return lanes[laneOf(record)].enter(user, seatsOf(registry, record), turn)
    },
  }
}

/** By who really asks: acting as a machine does not make one's requests urgent. */
export function laneOf({ caller, target, verb }: RequestRecord): LaneName {
  const identity = caller?.impersonatedBy ?? caller?.identity
  if (identity === undefined || target === undefined) return 'others'
  if (identity.user === CONTROLLERS_USER || identity.user === API_SERVER_USER) return 'fleet'
  if (machineOf(identity) === undefined || verb === 'list' || verb === 'watch') return 'others'
  const { kind, subresource } = target
  return kind.plural === 'leases' || subresource === 'status' ? 'fleet' : 'others'
}

function seatsOf(registry: Registry, { target, verb, query }: RequestRecord): number {
  if (target === undefined || (verb !== 'list' && verb !== 'watch')) return 1
  if (verb === 'watch' && Number(query.get('resourceVersion') ?? 0) > 0) return 1
  const { entries } = registry.feed.cache(target.kind.view?.of ?? target.kind)
  const limit = Number(query.get('limit') ?? 0) || entries.size
  return Math.min(MAX_SEATS_A_REQUEST, 1 + Math.floor(Math.min(entries.size, limit) / OBJECTS_A_SEAT))
}
