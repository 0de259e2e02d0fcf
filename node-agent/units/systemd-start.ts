/**
 * Starting and restarting, as each type of unit bears it.
 *
 * What starts other units (sockets, timers, paths, targets, slices) goes before services: systemd refuses a socket whose
 * service runs already. Where it does run, it has to be restarted with its socket, or it would never get the connections.
 */
import type { Logger } from 'pino'
import type { SystemdBus } from './systemd-bus.ts'
import { pathOfUnit, splitUnitName } from './unit-name.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'
/**
 * A restart of these would stop everything that is in them, or that belongs to them; changed settings are in force since
 * the reload, and a start reaches what a target has come to want. A device cannot be stopped at all.
 */
const ONLY_STARTED = new Set(['slice', 'target', 'device'])

/** How long a service may take to stop, its own TimeoutStopSec= included. */
const STOP_DEADLINE_MS = 120_000
/** A connection may start the service again in the moment before systemd has heard of the socket's job. */
const TRIES = 3

type Bus = Pick<SystemdBus, 'manager' | 'property' | 'jobResult'>

/** Services after all others, because those may be what services wait for or are started by. */
export function inStages(names: readonly string[]): readonly (readonly string[])[] {
  const isService = (name: string) => name.endsWith('.service')
  return [names.filter((name) => !isService(name)), names.filter(isService)].filter((stage) => stage.length > 0)
}

export async function startUnit(bus: Bus, name: string, log: Logger): Promise<void> {
  const isSocket = splitUnitName(name).type === 'socket'
  if (isSocket && !(await isActive(bus, name))) await withItsServices(bus, name, 'StartUnit', log)
  else await job(bus, 'StartUnit', name)
}

export async function restartUnit(bus: Bus, name: string, log: Logger): Promise<void> {
  const { type } = splitUnitName(name)
  if (type === 'socket') await withItsServices(bus, name, 'RestartUnit', log)
  else await job(bus, ONLY_STARTED.has(type) ? 'StartUnit' : 'RestartUnit', name)
}

type Verb = 'StartUnit' | 'StopUnit' | 'RestartUnit'

/**
 * The services stop, the socket starts, the services start. systemd has the first two jobs at once and orders them; the
 * last one waits here, for it would take the place of the stop. Should we be gone by then, the next connection starts the
 * service. A socket that systemd would not load stops nothing.
 */
async function withItsServices(bus: Bus, socket: string, verb: Verb, log: Logger): Promise<void> {
  const isLoaded = (await bus.property(pathOfUnit(socket), UNIT, 'LoadState')) === 'loaded'
  const services = isLoaded ? await runningServicesOf(bus, socket) : []
  const stops = services.map((name) => job(bus, 'StopUnit', name))
  const [started] = await Promise.all([job(bus, verb, socket), ...stops])
  if (services.length === 0) return
  const finish = async () => {
    await untilStarted(bus, socket, verb, started)
    await Promise.all(services.map((name) => job(bus, 'StartUnit', name)))
  }
  finish().catch((err: unknown) => log.warn({ err, socket, services }, 'services not started again after their socket'))
}

async function untilStarted(bus: Bus, socket: string, verb: Verb, first: string): Promise<void> {
  let started = first
  for (let tries = 1; (await bus.jobResult(started, STOP_DEADLINE_MS)) === 'failed' && tries < TRIES; tries++) {
    const services = await runningServicesOf(bus, socket)
    const stops = services.map((name) => job(bus, 'StopUnit', name))
    started = (await Promise.all([job(bus, verb, socket), ...stops]))[0]
  }
}

async function runningServicesOf(bus: Bus, socket: string): Promise<readonly string[]> {
  const triggers = (await bus.property(pathOfUnit(socket), UNIT, 'Triggers')) as readonly string[]
  const running = await Promise.all(triggers.map((name) => isActive(bus, name)))
  return triggers.filter((_, index) => running[index])
}

/** Queues the job and answers its name. */
async function job(bus: Bus, verb: Verb, name: string): Promise<string> {
  return String((await bus.manager(verb, 'ss', [name, 'replace']))[0])
}

async function isActive(bus: Bus, name: string): Promise<boolean> {
  const state = await bus.property(pathOfUnit(name), UNIT, 'ActiveState')
  return state !== 'inactive' && state !== 'failed'
}
