/** The doors for old clients, with the listeners of their own that were asked for. */
import type { Logger } from 'pino'
import { type EtcdV2Listen, type EtcdV2Settings, openEtcdV2 } from './etcd-v2.ts'
import { type FleetV1Listen, openFleetV1, parseFleetListen } from './fleet-v1.ts'
import type { LegacyDoor } from './http/legacy-door.ts'
import { createTlsDoor } from './legacy/etcd-v2/tls-door.ts'
import { createFleetTlsDoor } from './legacy/fleet-v1/tls-door.ts'
import { parseListen } from './listen-address.ts'
import type { RunningRegistry, Undo } from './running-registry.ts'
import type { Store } from './store/store.ts'

/** `isDefault`: nobody chose it, so the server does without where it is taken. */
type Listen = string | { readonly listen: string; readonly isDefault: true }

export interface LegacyDoorOptions {
  /** A plain listener for the etcd v2 API; without it only the TLS ports serve `/v2`. */
  readonly legacyListen?: Listen
  readonly etcdV2?: EtcdV2Settings
  /** `HOST:PORT` or `unix:///PATH`, several with commas; without any only the TLS ports serve `/fleet/v1`. */
  readonly fleetListen?: Listen
}

export interface LegacyDoors {
  /** For the TLS ports. */
  readonly doors: readonly LegacyDoor[]
  readonly etcdV2Url: string | undefined
  readonly fleetV1Url: string | undefined
  /** What people should be told, in sentences. */
  readonly notices: readonly string[]
}

interface Above {
  readonly store: Store
  readonly running: RunningRegistry
  readonly log: Logger
}

/** Rejects with a sentence when an address that was asked for cannot be had; `undo` gets what closes the doors. */
export async function openLegacyDoors(
  options: LegacyDoorOptions,
  { store, running, log }: Above,
  undo: Undo[],
): Promise<LegacyDoors> {
  const listen = etcdV2Address(options.legacyListen)
  const etcdV2 = await openEtcdV2({ ...options.etcdV2, store, objects: running, listen, log })
  undo.push(etcdV2.close)
  const fleetV1 = await openFleetV1({ ...running, listen: fleetAddresses(options.fleetListen), log })
  undo.push(fleetV1.close)
  return {
    doors: [createTlsDoor(etcdV2.door), createFleetTlsDoor(fleetV1.door)],
    etcdV2Url: etcdV2.url,
    fleetV1Url: fleetV1.url,
    notices: [...(etcdV2.notice === undefined ? [] : [etcdV2.notice]), ...fleetV1.notices],
  }
}

function etcdV2Address(listen: Listen | undefined): EtcdV2Listen | undefined {
  if (listen === undefined) return undefined
  return typeof listen === 'string'
    ? { ...parseListen(listen), isDefault: false }
    : { ...parseListen(listen.listen), isDefault: true }
}

function fleetAddresses(listen: Listen | undefined): FleetV1Listen | undefined {
  if (listen === undefined) return undefined
  const isDefault = typeof listen !== 'string'
  return { at: parseFleetListen(isDefault ? listen.listen : listen), isDefault }
}
