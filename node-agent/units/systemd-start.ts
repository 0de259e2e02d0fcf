/**
 * Starting and restarting, as each type of unit bears it.
 *
 * What starts other units (sockets, timers, paths, targets, slices) goes before services: systemd refuses a socket whose
 * service runs already. Where it does run, it has to be restarted with its socket, or it would never get the connections.
 */
import type { SystemdBus } from './systemd-bus.ts'
import { pathOfUnit, splitUnitName } from './unit-name.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'
/**
 * A restart of these would stop everything that is in them, or that belongs to them; changed settings are in force since
 * the reload, and a start reaches what a target has come to want. A device cannot be stopped at all.
 */
const ONLY_STARTED = new Set(['slice', 'target', 'device'])

type Bus = Pick<SystemdBus, 'manager' | 'property'>

/** Services after all others, because those may be what services wait for or are started by. */
export function inStages(names: readonly string[]): readonly (readonly string[])[] {
  const isService = (name: string) => name.endsWith('.service')
  return [names.filter((name) => !isService(name)), names.filter(isService)].filter((stage) => stage.length > 0)
}

export async function startUnit(bus: Bus, name: string): Promise<void> {
  if (splitUnitName(name).type === 'socket' && !(await isActive(bus, name)))
    await withItsServices(bus, name, 'StartUnit')
  else await bus.manager('StartUnit', 'ss', [name, 'replace'])
}

export async function restartUnit(bus: Bus, name: string): Promise<void> {
  const { type } = splitUnitName(name)
  if (type === 'socket') await withItsServices(bus, name, 'RestartUnit')
  else await bus.manager(ONLY_STARTED.has(type) ? 'StartUnit' : 'RestartUnit', 'ss', [name, 'replace'])
}

/**
 * The calls are sent together: systemd has both jobs before the service can have ended, and orders them by itself (the
 * service stops, the socket starts, the service starts).
 */
async function withItsServices(bus: Bus, socket: string, verb: 'StartUnit' | 'RestartUnit'): Promise<void> {
  const triggers = (await bus.property(pathOfUnit(socket), UNIT, 'Triggers')) as readonly string[]
  const running = await Promise.all(triggers.map((name) => isActive(bus, name)))
  const services = triggers.filter((_, index) => running[index])
  const calls = services.map((name) => bus.manager('TryRestartUnit', 'ss', [name, 'replace']))
  const replies = await Promise.allSettled([...calls, bus.manager(verb, 'ss', [socket, 'replace'])])
  const failed = replies.find((reply) => reply.status === 'rejected')
  if (failed) throw failed.reason
}

async function isActive(bus: Bus, name: string): Promise<boolean> {
  const state = await bus.property(pathOfUnit(name), UNIT, 'ActiveState')
  return state !== 'inactive' && state !== 'failed'
}
