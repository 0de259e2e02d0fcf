import * as z from 'zod'
import type { ApiObject, ObjectOf } from '../kind.ts'
import { defineBuiltIn, recordsAt } from './built-in.ts'
import { AGE } from './columns.ts'
import { atomicList, StringMap } from './lists.ts'
import { ObjectReference } from './references.ts'

const Endpoint = z.strictObject({
  addresses: atomicList(z.string().min(1)),
  conditions: z
    .strictObject({
      ready: z.boolean().optional(),
      serving: z.boolean().optional(),
      terminating: z.boolean().optional(),
    })
    .optional(),
  hostname: z.string().optional(),
  nodeName: z.string().optional(),
  zone: z.string().optional(),
  targetRef: ObjectReference.optional(),
  deprecatedTopology: StringMap.optional(),
  hints: z.strictObject({ forZones: atomicList(z.strictObject({ name: z.string() })).optional() }).optional(),
})

export const EndpointSlice = defineBuiltIn({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  scope: 'Namespaced',
  generation: true,
  description: 'Addresses behind a name: of pods behind a Service, or of the API servers.',
  fields: {
    addressType: z.enum(['IPv4', 'IPv6', 'FQDN']).describe('What kind of addresses it holds.'),
    endpoints: atomicList(Endpoint).default([]),
    ports: atomicList(
      z.strictObject({
        name: z.string().optional(),
        protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
        port: z.int().min(1).max(65_535).optional(),
        appProtocol: z.string().optional(),
      }),
    ).optional(),
  },
  columns: [
    { name: 'AddressType', type: 'string', jsonPath: '.addressType', description: 'What kind of addresses it holds.' },
    { name: 'Ports', type: 'string', jsonPath: '.ports', description: 'Ports of every address.', cell: portsText },
    { name: 'Endpoints', type: 'string', jsonPath: '.endpoints', description: 'The addresses.', cell: addressesText },
    AGE,
  ],
  check: (object, previous) =>
    previous === undefined || previous.addressType === object.addressType
      ? []
      : [{ path: ['addressType'], message: 'field is immutable' }],
})
export type EndpointSlice = ObjectOf<typeof EndpointSlice>

const UNSET = '<unset>'
const MAX_SHOWN = 3

function portsText(object: ApiObject): string {
  return some(recordsAt(object, 'ports').map(({ port, name }) => String(port ?? name ?? '*')))
}

function addressesText(object: ApiObject): string {
  return some(
    recordsAt(object, 'endpoints').flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses.map(String) : [])),
  )
}

function some(texts: readonly string[]): string {
  if (texts.length === 0) return UNSET
  const more = texts.length > MAX_SHOWN ? ` + ${texts.length - MAX_SHOWN} more...` : ''
  return texts.slice(0, MAX_SHOWN).join(',') + more
}
