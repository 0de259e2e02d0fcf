/**
 * fleet's own answers, call by call, in one session (spec: fleet HTTP API, measured on fleet 1.0; the rows under
 * "otherwise than fleet" are where ours differ on purpose). Longer than 250 lines: one table, read from top to bottom.
 */

/** An object is the whole body; a text is that of the error; undefined is no body. */
type Told = object | string | undefined

export type Case = readonly [call: string, sent: unknown, status: number, told: Told, type?: string | null]

const option = (section: string, name: string, value: string) => ({ name, section, value })
const RUN = [option('Service', 'ExecStart', '/bin/true')]
const put = (name: string, rest: object) => ({ name, ...rest })
const unit = (name: string, rest: object = {}) => ({
  currentState: 'inactive',
  desiredState: 'inactive',
  name,
  options: RUN,
  ...rest,
})
const fleet = (...values: readonly (readonly [name: string, value: string])[]) => [
  ...RUN,
  ...values.map(([name, value]) => option('X-Fleet', name, value)),
]
/** A new unit with these options in [X-Fleet]. */
const rules = (...values: readonly (readonly [name: string, value: string])[]) => ({ options: fleet(...values) })

const GET_ONLY = 'only GET supported against this resource'
const UNIT_VERBS = 'only GET, PUT and DELETE supported against this resource'
const MACHINE_VERBS = 'only GET and PATCH supported against this resource'
const NOT_THERE = 'unit does not exist'
const NO_OPTIONS = 'unit does not exist and options field empty'
const NO_STATE = 'must provide DesiredState to update existing unit'
const TYPE = 'only acceptable Content-Type is application/json'
const U = '/fleet/v1/units'
const M = '/fleet/v1/machines'

const PATHS: readonly Case[] = [
  ['GET /', undefined, 405, ''],
  ['POST /', undefined, 405, ''],
  ['GET /fleet/v1', undefined, 405, ''],
  ['GET /v1-alpha', undefined, 405, ''],
  ['GET /fleet', undefined, 404, ''],
  ['GET /fleet/v1/', undefined, 404, ''],
  ['GET /fleet/v2/units', undefined, 404, ''],
  ['GET /fleet/v1/nothing', undefined, 404, ''],
  ['GET /fleet/v1/units/', undefined, 404, ''],
  ['GET /fleet/v1/units/a/b', undefined, 404, ''],
  ['GET /fleet/v1/units/a%2Fb', undefined, 404, ''],
  ['GET /fleet/v1/units/%zz', undefined, 404, ''],
  ['GET /fleet/v1/machines/x', undefined, 404, ''],
  ['GET /fleet/v1/machines/', undefined, 404, ''],
  ['GET /fleet/v1/state/', undefined, 404, ''],
  ['GET /fleet/v1/constructor', undefined, 404, ''],
  ['GET /fleet/v1/constructor/x', undefined, 404, ''],
  ['GET /metrics', undefined, 404, ''],
]

const VERBS: readonly Case[] = [
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].map((verb): Case => [`${verb} ${U}`, undefined, 405, GET_ONLY]),
  ...['POST', 'PATCH', 'OPTIONS'].map((verb): Case => [`${verb} ${U}/a.service`, undefined, 405, UNIT_VERBS]),
  ...['POST', 'PUT', 'DELETE'].map((verb): Case => [`${verb} /fleet/v1/state`, undefined, 405, GET_ONLY]),
  ...['PUT', 'DELETE'].map((verb): Case => [`${verb} /fleet/v1/state/a.service`, undefined, 405, GET_ONLY]),
  ...['POST', 'PUT', 'DELETE'].map((verb): Case => [`${verb} ${M}`, undefined, 405, MACHINE_VERBS]),
  ['POST /fleet/v1/discovery', undefined, 400, ''],
  ['DELETE /fleet/v1/discovery', undefined, 400, ''],
]

const EMPTY: readonly Case[] = [
  [`GET ${U}`, undefined, 200, {}],
  [`GET ${U}?alt=json&whatever=1`, undefined, 200, {}],
  ['GET /v1-alpha/units', undefined, 200, {}],
  ['GET /fleet/v1/state', undefined, 200, {}],
  ['GET /fleet/v1/state?machineID=x&unitName=y', undefined, 200, {}],
  [`GET ${M}`, undefined, 200, {}],
  [`GET ${U}/a.service`, undefined, 404, NOT_THERE],
  [`GET ${U}/nonsense`, undefined, 404, NOT_THERE],
  [`DELETE ${U}/a.service`, undefined, 404, NOT_THERE],
]

const BODIES: readonly Case[] = [
  [`PUT ${U}/a.service`, '{}', 415, 'expected 1 Content-Type, got 0', null],
  [`PUT ${U}/a.service`, '{}', 415, TYPE, 'text/plain'],
  [`PUT ${U}/a.service`, '{}', 415, TYPE, 'application/jsonx'],
  [`PUT ${U}/a.service`, '', 400, 'unable to decode body: EOF', 'application/json'],
  [`PUT ${U}/a.service`, {}, 409, NO_OPTIONS, 'application/json; charset=utf-8'],
  [`PUT ${U}/a.service`, {}, 409, NO_OPTIONS, 'Application/JSON'],
  [`PUT ${U}/a.service`, put('a.service', { options: [] }), 409, NO_OPTIONS],
  [`PUT ${U}/a.service`, put('a.service', { options: null, desiredState: 'launched' }), 409, NO_OPTIONS],
  [
    `PUT ${U}/a.service`,
    put('b.service', { options: RUN }),
    400,
    'name in URL "a.service" differs from unit name in request body "b.service"',
  ],
]

const NAMES: readonly Case[] = (
  [
    ['a', 'unit name must contain "."'],
    ['a.', 'unit name cannot end in "."'],
    ['a.bogus', 'invalid unit type: "bogus"'],
    ['a.Service', 'invalid unit type: "Service"'],
    ['a@.mount', 'invalid unit type for template: "mount"'],
    ['a b.service', "invalid character ' ' in unit name"],
    ['a$.service', "invalid character '$' in unit name"],
    ['@a.service', 'unit name cannot start in "@"'],
  ] as const
).map(([name, told]) => [`PUT ${U}/${encodeURIComponent(name)}`, put(name, { options: RUN }), 400, told])

const RULES: readonly Case[] = (
  [
    [
      [
        ['MachineOf', 'b.service'],
        ['Conflicts', 'b*'],
      ],
      'unresolvable requirements: peer "b.service" matches conflict "b*"',
    ],
    [
      [
        ['MachineOf', 'b.service'],
        ['Replaces', 'b*'],
      ],
      'unresolvable requirements: peer "b.service" matches replace "b*"',
    ],
    [
      [
        ['MachineID', 'x'],
        ['MachineOf', 'b.service'],
      ],
      'MachineID cannot be used with Peers',
    ],
    [
      [
        ['MachineID', 'x'],
        ['Conflicts', 'b'],
      ],
      'MachineID cannot be used with Conflicts',
    ],
    [
      [
        ['MachineID', 'x'],
        ['Global', 'true'],
      ],
      'MachineID cannot be used with Global',
    ],
    [
      [
        ['MachineID', 'x'],
        ['Replaces', 'b'],
      ],
      'MachineID cannot be used with Replaces',
    ],
    [
      [
        ['Global', 'true'],
        ['MachineOf', 'b.service'],
      ],
      'Global cannot be used with Peers',
    ],
    [
      [
        ['Global', 'true'],
        ['Replaces', 'b'],
      ],
      'Global cannot be used with Replaces',
    ],
    [
      [
        ['Conflicts', 'a'],
        ['Replaces', 'b'],
      ],
      'Conflicts cannot be used with Replaces',
    ],
    [
      [
        ['X-ConditionMachineID', 'x'],
        ['X-Conflicts', 'b'],
      ],
      'MachineID cannot be used with Conflicts',
    ],
  ] as const
).map(([options, told]) => [`PUT ${U}/r.service`, put('r.service', rules(...options)), 400, told])

const LIFE: readonly Case[] = [
  [`PUT ${U}/a.service?alt=json`, put('a.service', { options: RUN }), 201, undefined],
  [`GET ${U}/a.service`, undefined, 200, unit('a.service')],
  [`GET ${U}`, undefined, 200, { units: [unit('a.service')] }],
  [`PUT ${U}/a.service`, put('a.service', { options: RUN }), 409, NO_STATE],
  [`PUT ${U}/a.service`, put('a.service', {}), 409, NO_STATE],
  [`PUT ${U}/a.service`, put('a.service', { desiredState: 'loaded' }), 204, undefined],
  [`PUT ${U}/a.service`, { desiredState: 'launched' }, 204, undefined],
  [`PUT ${U}/a.service`, put('a.service', { desiredState: 'launched', options: RUN }), 204, undefined],
  [`GET ${U}/a.service`, undefined, 200, unit('a.service', { desiredState: 'launched' })],
  [`PUT ${U}/a.service`, put('a.service', { options: [...RUN, option('Service', 'User', 'x')] }), 201, undefined],
  [`GET ${U}/a.service`, undefined, 200, unit('a.service', { options: [...RUN, option('Service', 'User', 'x')] })],
  [`PUT ${U}/a.service`, put('a.service', { options: RUN, desiredState: 'loaded' }), 201, undefined],
  [`GET ${U}/a.service`, undefined, 200, unit('a.service', { desiredState: 'loaded' })],
  [`PUT ${U}/b%401.service`, put('b@1.service', { options: RUN, desiredState: 'launched' }), 201, undefined],
  [`GET ${U}/b@1.service`, undefined, 200, unit('b@1.service', { desiredState: 'launched' })],
  [`PUT ${U}/b@.service`, put('b@.service', { options: RUN }), 201, undefined],
  [`PUT ${U}/b@.service`, put('b@.service', { desiredState: 'loaded' }), 400, 'cannot activate template "b@.service"'],
  [`PUT ${U}/b@.service`, put('b@.service', { desiredState: 'inactive' }), 204, undefined],
  [`PUT ${U}/a.@.service`, put('a.@.service', { options: RUN }), 201, undefined],
  [`PUT ${U}/g.service`, put('g.service', rules(['Global', 'true'])), 201, undefined],
  [
    `GET ${U}/g.service`,
    undefined,
    200,
    { desiredState: 'inactive', name: 'g.service', options: fleet(['Global', 'true']) },
  ],
  [`PUT ${U}/e.service`, put('e.service', { options: [...RUN, { section: 'Service', name: 'User' }] }), 201, undefined],
  [
    `GET ${U}/e.service`,
    undefined,
    200,
    unit('e.service', { options: [...RUN, { section: 'Service', name: 'User' }] }),
  ],
  [`PUT ${U}/x.service`, put('x.service', rules(['Bogus', '1'])), 201, undefined],
  [`PUT ${U}/x.service`, put('x.service', { options: RUN, bogus: 1, desiredState: 'inactive' }), 201, undefined],
  ['GET /fleet/v1/state', undefined, 200, {}],
  ...['a', 'b@1', 'b@', 'a.@', 'g', 'e', 'x'].map(
    (stem): Case => [`DELETE ${U}/${stem}.service`, undefined, 204, undefined],
  ),
  [`DELETE ${U}/a.service`, undefined, 404, NOT_THERE],
  [`GET ${U}`, undefined, 200, {}],
]

const PAGES: readonly Case[] = [
  [`GET ${U}?nextPageToken=!`, undefined, 400, 'illegal base64 data at input byte 0'],
  [`GET ${U}?nextPageToken=ZAAC`, undefined, 400, 'unexpected EOF'],
  [`GET ${U}?nextPageToken=MgACAA==`, undefined, 400, 'token limit must be 100'],
  [`GET ${U}?nextPageToken=ZAAAAA==`, undefined, 400, 'token page must be greater than zero'],
  [`GET ${U}?nextPageToken=ZAACAA==&nextPageToken=ZAACAA==`, undefined, 400, 'too many values for page token'],
  [`GET ${U}?nextPageToken=ZAAJAA%3D%3D`, undefined, 200, {}],
  ['GET /fleet/v1/state?nextPageToken=!', undefined, 400, 'illegal base64 data at input byte 0'],
  [`GET ${M}?nextPageToken=ZAAC`, undefined, 400, 'unexpected EOF'],
]

const add = (path: string, value?: unknown) => [{ op: 'add', path, ...(value !== undefined && { value }) }]

const METADATA: readonly Case[] = [
  [`PATCH ${M}`, '[]', 415, 'expected 1 Content-Type, got 0', null],
  [`PATCH ${M}`, '[]', 204, undefined, 'application/json'],
  [`PATCH ${M}`, [{ op: 'copy', path: '/x/metadata/a' }], 400, 'invalid op: expect add, remove, or replace'],
  [`PATCH ${M}`, [{}], 400, 'invalid op: expect add, remove, or replace'],
  [`PATCH ${M}`, add('/x/labels/a', { value: '1' }), 400, 'machine metadata path invalid'],
  [`PATCH ${M}`, add('/x/metadata/a/b', { value: '1' }), 400, 'machine metadata path invalid'],
  [`PATCH ${M}`, add('/x/metadata/a b', { value: '1' }), 400, 'machine metadata path invalid'],
  [`PATCH ${M}`, add('/x/metadata/a'), 400, 'invalid value: add and replace require a value'],
  [`PATCH ${M}`, add('/x/metadata/a', {}), 400, 'invalid value: add and replace require a value'],
]

const OTHERWISE: readonly Case[] = [
  ['GET /fleet/v1/state/unknown.service', undefined, 404, 'unit state does not exist'],
  [
    `PUT ${U}/o.service`,
    put('o.service', { options: RUN, desiredState: 'up' }),
    400,
    'invalid DesiredState "up": inactive, loaded or launched',
  ],
  [
    `PUT ${U}/o@.service`,
    put('o@.service', { options: RUN, desiredState: 'launched' }),
    400,
    'cannot activate template "o@.service"',
  ],
  [`GET ${U}/o@.service`, undefined, 404, NOT_THERE],
  [`PUT ${U}/o.service`, put('o.service', { options: RUN }), 201, undefined],
  [
    `PUT ${U}/o.service`,
    put('o.service', { desiredState: 'up' }),
    400,
    'invalid DesiredState "up": inactive, loaded or launched',
  ],
  [
    `PUT ${U}/o.service`,
    put('o.service', rules(['MachineID', 'x'], ['Global', 'true'])),
    400,
    'MachineID cannot be used with Global',
  ],
  [`GET ${U}/o.service`, undefined, 200, unit('o.service')],
  [`DELETE ${U}/o.service`, undefined, 204, undefined],
  [`PATCH ${M}`, add('/x/metadata/a', { value: '1' }), 404, 'machine "x" does not exist'],
  [
    `PUT ${U}/o.service`,
    put('o.service', { options: [option('Service', 'A', '1\nB=2')] }),
    400,
    'invalid option "Service.A": a line of its value that goes on must end in a backslash',
  ],
]

/** Made and taken away again. */
const passing = (name: string, options: readonly object[]): readonly Case[] => [
  [`PUT ${U}/${encodeURIComponent(name)}`, put(name, { options }), 201, undefined],
  [`GET ${U}/${encodeURIComponent(name)}`, undefined, 200, { ...unit(name), options }],
  [`DELETE ${U}/${encodeURIComponent(name)}`, undefined, 204, undefined],
]

const TYPES: readonly Case[] = [
  ...['automount', 'device', 'mount', 'path', 'scope', 'service', 'slice', 'snapshot', 'socket', 'swap', 'target'],
  ...['timer', 'busname'],
]
  .flatMap((type) => passing(`t.${type}`, RUN))
  .concat(['path', 'service', 'socket', 'target', 'timer'].flatMap((type) => passing(`t@.${type}`, RUN)))

const TOGETHER: readonly Case[] = (
  [
    [
      ['MachineID', 'x'],
      ['MachineMetadata', 'a=b'],
    ],
    [['MachineMetadata', '"region=a" "disk=ssd"']],
    [['MachineMetadata', 'region=a disk=b']],
    [
      ['MachineOf', 'b.service'],
      ['MachineMetadata', 'a=b'],
    ],
    [
      ['MachineOf', 'b.service'],
      ['Conflicts', 'c*'],
    ],
    [
      ['MachineOf', 'web@%i.service'],
      ['Conflicts', 'web@2.service'],
    ],
    [
      ['Replaces', 'b'],
      ['MachineOf', 'c.service'],
    ],
    [
      ['Replaces', 'b'],
      ['MachineMetadata', 'a=b'],
    ],
    [['Conflicts', 'a.service b.service']],
    [['Conflicts', '[']],
  ] as const
).flatMap((options) => passing('allowed.service', fleet(...options)))

export const CASES: readonly (readonly [group: string, cases: readonly Case[]])[] = [
  ['paths', PATHS],
  ['verbs', VERBS],
  ['an empty fleet', EMPTY],
  ['bodies', BODIES],
  ['names', NAMES],
  ['rules of placement', RULES],
  ['types of units', TYPES],
  ['what goes together', TOGETHER],
  ['the life of units', LIFE],
  ['page tokens', PAGES],
  ['metadata of machines', METADATA],
  ['otherwise than fleet', OTHERWISE],
]
