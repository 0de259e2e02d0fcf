/** Our own kinds as resource types: what `status`, `journal` and `why` read needs no discovery. */
import type { ResourceType } from './resources.ts'

const OURS = { group: 'flotilla.dev', version: 'v1', shortNames: [], categories: [], namespaced: false }
export const UNITS: ResourceType = { ...OURS, kind: 'Unit', plural: 'units', singular: 'unit' }
export const MACHINES: ResourceType = { ...OURS, kind: 'Machine', plural: 'machines', singular: 'machine' }
export const EVENTS: ResourceType = {
  ...{ group: '', version: 'v1', shortNames: [], categories: [], namespaced: true },
  ...{ kind: 'Event', plural: 'events', singular: 'event' },
}
