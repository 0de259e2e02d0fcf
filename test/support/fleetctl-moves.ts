/**
 * What fleetctl asks of the API, verb by verb, in its order (spec: fleet §8, seen through a logging proxy): the client
 * itself is in no distribution any more. Each move ends where fleetctl would return, or throws what it would print.
 */
import { askFleet, type FleetAnswer } from './fleet-v1-client.ts'
import { until } from './until.ts'

export interface Option {
  readonly section: string
  readonly name: string
  readonly value: string
}

export interface FleetUnit {
  readonly name: string
  readonly currentState?: string
  readonly desiredState?: string
  readonly machineID?: string
  readonly options?: readonly Option[]
}

export interface FleetUnitState {
  readonly name: string
  readonly hash: string
  readonly machineID: string
  readonly systemdLoadState: string
  readonly systemdActiveState: string
  readonly systemdSubState: string
}

export interface FleetMachine {
  readonly id: string
  readonly primaryIP?: string
  readonly metadata?: Readonly<Record<string, string>>
}

type State = 'inactive' | 'loaded' | 'launched'

export interface Fleetctl {
  listMachines(): Promise<FleetMachine[]>
  listUnits(): Promise<FleetUnitState[]>
  listUnitFiles(): Promise<FleetUnit[]>
  cat(name: string): Promise<readonly Option[]>
  submit(name: string, options: readonly Option[]): Promise<void>
  load(name: string, options?: readonly Option[]): Promise<void>
  start(name: string, options?: readonly Option[]): Promise<void>
  startReplacing(name: string, options: readonly Option[]): Promise<void>
  stop(name: string): Promise<void>
  unload(name: string): Promise<void>
  restart(name: string): Promise<void>
  destroy(name: string): Promise<void>
}

const STATE_TIMEOUT_MS = 10_000

interface Api {
  call(method: string, path: string, body?: object): Promise<FleetAnswer>
  /** Rejects with the answer where it is a refusal. */
  wanted(method: string, path: string, body?: object): Promise<unknown>
  all<T>(path: string, list: string): Promise<T[]>
  get(name: string): Promise<FleetUnit>
  put(name: string, rest: object): Promise<unknown>
}

const at = (name: string) => `units/${encodeURIComponent(name)}`

function apiOf(endpoint: string): Api {
  const call = (method: string, path: string, body?: object): Promise<FleetAnswer> =>
    askFleet(endpoint, method, `/fleet/v1/${path}${path.includes('?') ? '&' : '?'}alt=json`, { body })
  const wanted = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await call(method, path, body)
    if ((answer.status ?? 500) >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const all = async <T>(path: string, list: string): Promise<T[]> => {
    const found: T[] = []
    for (let token: string | undefined = ''; token !== undefined; ) {
      const query: string = token === '' ? path : `${path}?nextPageToken=${encodeURIComponent(token)}`
      const page = (await wanted('GET', query)) as Record<string, unknown> & { nextPageToken?: string }
      found.push(...((page[list] ?? []) as T[]))
      token = page.nextPageToken
    }
    return found
  }
  const get = async (name: string) => (await wanted('GET', at(name))) as FleetUnit
  return { call, wanted, all, get, put: (name, rest) => wanted('PUT', at(name), { name, ...rest }) }
}

/** `waitsFor` is checked at once, then again and again. */
async function move({ get, put }: Api, name: string, state: State, waitsFor: State = state): Promise<void> {
  if ((await get(name)).desiredState !== state) await put(name, { desiredState: state })
  await arrives({ get }, name, waitsFor)
}

async function arrives({ get }: Pick<Api, 'get'>, name: string, state: State): Promise<void> {
  const what = `${name} to be ${state}`
  await until(async () => (await get(name)).currentState === state, { what, timeoutMs: STATE_TIMEOUT_MS })
}

async function submit({ call, get, put }: Api, name: string, options: readonly Option[] = []): Promise<void> {
  if ((await call('GET', at(name))).status !== 404) return
  await put(name, { options })
  await arrives({ get }, name, 'inactive')
}

async function launch(api: Api, name: string): Promise<void> {
  await move(api, name, 'launched')
  const isActive = async () => {
    const state = (await api.wanted('GET', `state/${encodeURIComponent(name)}`)) as FleetUnitState
    return state.systemdLoadState === 'loaded' && state.systemdActiveState === 'active'
  }
  await until(isActive, { what: `${name} to be active`, timeoutMs: STATE_TIMEOUT_MS })
}

async function mustBeListed({ all }: Api, name: string): Promise<void> {
  const units = await all<FleetUnit>('units', 'units')
  if (!units.some((unit) => unit.name === name)) throw new Error(`Units not found in registry: ${name}`)
}

async function listWithMachines<T>({ all }: Api, path: string, list: string): Promise<T[]> {
  const found = await all<T>(path, list)
  await all('machines', 'machines')
  return found
}

export function fleetctl(endpoint: string): Fleetctl {
  const api = apiOf(endpoint)
  const found =
    <T>(go: (name: string) => Promise<T>) =>
    async (name: string) => {
      await mustBeListed(api, name)
      await go(name)
    }
  const submitted = (go: (name: string) => Promise<void>) => async (name: string, options?: readonly Option[]) => {
    await submit(api, name, options)
    await go(name)
  }
  return {
    listMachines: () => api.all('machines', 'machines'),
    listUnits: () => listWithMachines(api, 'state', 'states'),
    listUnitFiles: () => listWithMachines(api, 'units', 'units'),
    cat: async (name) => (await api.get(name)).options ?? [],
    submit: (name, options) => submit(api, name, options),
    load: submitted((name) => move(api, name, 'loaded')),
    start: submitted((name) => launch(api, name)),
    startReplacing: async (name, options) => {
      await api.get(name)
      await api.put(name, { options })
      await launch(api, name)
    },
    stop: found((name) => move(api, name, 'loaded')),
    unload: found((name) => move(api, name, 'inactive')),
    // It waits for `launched` both times, as it does.
    restart: found(async (name) => {
      await move(api, name, 'loaded', 'launched')
      await move(api, name, 'launched')
    }),
    destroy: found((name) => api.wanted('DELETE', at(name))),
  }
}
