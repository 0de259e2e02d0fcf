/** The API's description of itself, in Google's discovery format: clients were generated from it (spec: fleet §7). */
const STRING = { type: 'string' }
const inPath = { ...STRING, location: 'path', required: true }
const inQuery = { ...STRING, location: 'query' }

const ref = (name: string) => ({ $ref: name })
const listOf = (name: string) => ({ type: 'array', items: ref(name) })

function schema(id: string, properties: Readonly<Record<string, object>>) {
  return [id, { id, type: 'object', properties }] as const
}

const page = (id: string, list: string, of: string) => schema(id, { [list]: listOf(of), nextPageToken: STRING })

const SCHEMAS = [
  schema('Machine', {
    id: STRING,
    primaryIP: STRING,
    metadata: { type: 'object', additionalProperties: STRING },
  }),
  page('MachinePage', 'machines', 'Machine'),
  schema('UnitOption', { section: STRING, name: STRING, value: STRING }),
  schema('Unit', {
    name: STRING,
    options: listOf('UnitOption'),
    desiredState: { ...STRING, enum: ['inactive', 'loaded', 'launched'] },
    currentState: { ...STRING, enum: ['inactive', 'loaded', 'launched'] },
    machineID: STRING,
  }),
  page('UnitPage', 'units', 'Unit'),
  schema('UnitState', {
    name: STRING,
    hash: STRING,
    machineID: STRING,
    systemdLoadState: STRING,
    systemdActiveState: STRING,
    systemdSubState: STRING,
  }),
  page('UnitStatePage', 'states', 'UnitState'),
]

function list(id: string, path: string, response: string, filters: Readonly<Record<string, object>> = {}) {
  return {
    id: `fleet.${id}.List`,
    description: `The ${path} that there are, page by page.`,
    httpMethod: 'GET',
    path,
    parameters: { nextPageToken: inQuery, ...filters },
    response: ref(response),
  }
}

function one(id: string, verb: string, httpMethod: string, path: string, description: string) {
  const [, name = ''] = /\{(.+)\}/.exec(path) ?? []
  return {
    id: `fleet.${id}.${verb}`,
    description,
    httpMethod,
    path,
    parameters: { [name]: inPath },
    parameterOrder: [name],
  }
}

/** `$ENDPOINT` is fleet's own: a client puts its own address there. */
export const DISCOVERY = {
  kind: 'discovery#restDescription',
  discoveryVersion: 'v1',
  id: 'fleet:v1',
  name: 'fleet',
  version: 'v1',
  title: 'fleet API',
  description: 'Units of a fleet of machines, as fleet 1.0 served them; answered by Flotilla.',
  documentationLink: 'https://github.com/coreos/fleet',
  protocol: 'rest',
  icons: { x16: '', x32: '' },
  labels: [],
  baseUrl: '$ENDPOINT/fleet/v1/',
  basePath: '/fleet/v1/',
  rootUrl: '$ENDPOINT/',
  servicePath: 'fleet/v1/',
  batchPath: 'batch',
  parameters: {},
  auth: {},
  schemas: Object.fromEntries(SCHEMAS),
  resources: {
    Machines: { methods: { List: list('Machine', 'machines', 'MachinePage') } },
    UnitState: {
      methods: {
        List: list('UnitState', 'state', 'UnitStatePage', { machineID: inQuery, unitName: inQuery }),
        Get: {
          ...one('UnitState', 'Get', 'GET', 'state/{unitName}', 'One state of a unit.'),
          response: ref('UnitState'),
        },
      },
    },
    Units: {
      methods: {
        List: list('Unit', 'units', 'UnitPage'),
        Get: { ...one('Unit', 'Get', 'GET', 'units/{unitName}', 'A unit.'), response: ref('Unit') },
        Set: {
          ...one('Unit', 'Set', 'PUT', 'units/{unitName}', 'Creates a unit, replaces its text, or sets its state.'),
          request: ref('Unit'),
        },
        Delete: one('Unit', 'Delete', 'DELETE', 'units/{unitName}', 'Removes a unit and stops it.'),
      },
    },
  },
} as const
