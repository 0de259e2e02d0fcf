/** Opens the fleet v1 door, and its own listeners where any were asked for. */
import type { Logger } from 'pino'
import type { Authorizer } from './auth/rbac/authorizer.ts'
import { createFleetV1Door, type FleetV1Door } from './legacy/fleet-v1/door.ts'
import { type FleetV1Listener, type ListenAt, listenFleetV1 } from './legacy/fleet-v1/listen.ts'
import { openListener } from './legacy/open-listener.ts'
import { parseListen } from './listen-address.ts'
import type { Registry } from './registry/registry.ts'

export interface FleetV1Listen {
  readonly at: readonly ListenAt[]
  /** Nobody asked for these very addresses: where one is taken, the server does without, and says so. */
  readonly isDefault: boolean
}

export interface OpenedFleetV1 {
  readonly door: FleetV1Door
  /** `http://127.0.0.1:49153` or `unix:///run/fleet.sock`: the first of the door's own listeners. */
  readonly url: string | undefined
  /** Sentences for people about those it has not, although it should. */
  readonly notices: readonly string[]
  close(): Promise<void>
}

export interface FleetV1ServerOptions {
  readonly registry: Registry
  readonly authorizer: Authorizer
  readonly listen: FleetV1Listen | undefined
  readonly log: Logger
}

/** Rejects with a sentence when an address that was asked for cannot be had. */
export async function openFleetV1({ listen, ...above }: FleetV1ServerOptions): Promise<OpenedFleetV1> {
  const door = createFleetV1Door(above)
  const listeners: FleetV1Listener[] = []
  const notices: string[] = []
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.close()))
  }
  try {
    for (const at of listen?.at ?? []) {
      const opened = await openOne(door, at, listen?.isDefault ?? false)
      if (typeof opened === 'string') notices.push(opened)
      else listeners.push(opened)
    }
    return { door, url: listeners[0]?.url, notices, close }
  } catch (error) {
    await close()
    throw error
  }
}

function openOne(door: FleetV1Door, at: ListenAt, isDefault: boolean): Promise<FleetV1Listener | string> {
  const where = 'socket' in at ? `unix://${at.socket}` : `${at.host}:${at.port}`
  const open = () => listenFleetV1(door, at)
  return openListener({ api: 'fleet v1', flag: '--fleet-listen HOST:PORT', where, isDefault, open })
}

const UNIX = 'unix://'

/** `127.0.0.1:49153`, `unix:///run/fleet.sock`, or several of them with commas. Throws a sentence that shows the form. */
export function parseFleetListen(listen: string): ListenAt[] {
  return listen.split(',').map((text) => {
    if (!text.startsWith(UNIX)) return parseListen(text.trim())
    const socket = text.slice(UNIX.length).trim()
    if (!socket.startsWith('/')) throw new Error(`cannot listen on "${text}": give unix:///run/fleet.sock`)
    return { socket }
  })
}
