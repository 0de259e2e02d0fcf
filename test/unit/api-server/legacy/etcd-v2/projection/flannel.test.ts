import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFailure } from '../../../../../../api-server/legacy/etcd-v2/failure.ts'
import { FLANNEL } from '../../../../../../api-server/legacy/etcd-v2/projection/flannel.ts'
import { isFault } from '../../../../../../api-server/legacy/etcd-v2/projection/projection.ts'
import { Subnet } from '../../../../../../crds/index.ts'
import type { ApiObject } from '../../../../../../crds/kind.ts'

const test = suite("flannel's keys as Subnets")

const CONFIG = '/coreos.com/network/config'
const SUBNETS = '/coreos.com/network/subnets'
const END = '2030-01-02T03:04:05.678Z'

function subnet(spec: object, status?: object): ApiObject {
  const { apiVersion, kind } = Subnet
  return { apiVersion, kind, metadata: { name: 'x' }, spec, ...(status && { status }) } as ApiObject
}

const nobody = () => undefined

const SHOWN: readonly (readonly [what: string, object: ApiObject, key: string, value: object, ends?: string])[] = [
  [
    'a root range',
    subnet({ cidr: '10.1.0.0/16', prefixLength: 24, min: '10.1.10.0/24', max: '10.1.99.0' }),
    CONFIG,
    {
      ...{ Network: '10.1.0.0/16', SubnetLen: 24, SubnetMin: '10.1.10.0', SubnetMax: '10.1.99.0' },
      Backend: { Type: 'vxlan' },
    },
  ],
  [
    'a root range with every setting of its backend',
    subnet({ cidr: '10.1.0.0/16', backend: { type: 'vxlan', vni: 7, port: 8472, directRouting: true } }),
    CONFIG,
    { Network: '10.1.0.0/16', Backend: { Type: 'vxlan', VNI: 7, Port: 8472, DirectRouting: true } },
  ],
  [
    'a lease',
    subnet({ cidr: '10.1.5.0/24', parent: 'r', publicIP: '192.0.2.1', vtepMAC: '0a:1b:2c:3d:4e:5f' }, { expiry: END }),
    `${SUBNETS}/10.1.5.0-24`,
    { PublicIP: '192.0.2.1', BackendType: 'vxlan', BackendData: { VtepMAC: '0a:1b:2c:3d:4e:5f' } },
    END,
  ],
  [
    'a reservation, whatever its status says',
    subnet({ cidr: '10.1.6.0/24', parent: 'r', publicIP: '192.0.2.2', reservation: true }, { expiry: END }),
    `${SUBNETS}/10.1.6.0-24`,
    { PublicIP: '192.0.2.2', BackendType: 'host-gw' },
  ],
]

for (const [what, object, key, value, ends] of SHOWN)
  test(`an object becomes a key: ${what}`, () => {
    const showing = FLANNEL.toNodes(object)
    assert.not(isFault(showing))
    if (isFault(showing)) return
    const [node] = showing
    assert.is(node?.key, key)
    assert.equal(JSON.parse(node?.value ?? ''), value)
    assert.is(node?.expires, ends === undefined ? undefined : Date.parse(ends))
  })

const UNSHOWN: readonly (readonly [what: string, object: ApiObject, fault?: RegExp])[] = [
  ['IPv6, which flannel v2 has no key for', subnet({ cidr: 'fd00::/64', parent: 'r' })],
  ['no range', subnet({ cidr: 'somewhere' }), /spec\.cidr "somewhere"/],
  ['bits beyond the length', subnet({ cidr: '10.1.5.1/24', parent: 'r' }), /without host bits/],
  ['a path for a range', subnet({ cidr: '10.0.0.0/8/../../x', parent: 'r' }), /spec\.cidr/],
  ['an end that is no time', subnet({ cidr: '10.1.5.0/24', parent: 'r' }, { expiry: 'soon' }), /status\.expiry "soon"/],
  ['an end long ago', subnet({ cidr: '10.1.5.0/24', parent: 'r' }, { expiry: '0001-01-01T00:00:00Z' }), /expiry/],
  ['a prefix for IPv6', subnet({ cidr: '10.1.0.0/16', prefixLength: 64 }), /SubnetLen/],
  ['an address that is none', subnet({ cidr: '10.1.5.0/24', parent: 'r', publicIP: 'me' }), /PublicIP: "me"/],
  ['a MAC that is none', subnet({ cidr: '10.1.5.0/24', parent: 'r', vtepMAC: 'x' }), /VtepMAC: "x"/],
]

for (const [what, object, fault] of UNSHOWN)
  test(`an object that cannot be a key is left out and says why: ${what}`, () => {
    const showing = FLANNEL.toNodes(object)
    if (fault === undefined) assert.equal(showing, [])
    else assert.match(isFault(showing) ? showing.fault : '', fault)
  })

test("flanneld's lease becomes an object that ends when the key does", () => {
  const value = '{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"0a:1b:2c:3d:4e:5f"}}'
  const node = { key: `${SUBNETS}/10.1.5.0-24`, value, expires: Date.parse(END) }
  const spec = {
    ...{ cidr: '10.1.5.0/24', parent: 'root', publicIP: '192.0.2.1', vtepMAC: '0a:1b:2c:3d:4e:5f' },
    backend: { type: 'vxlan', vni: 1 },
  }
  const object = FLANNEL.toObject(node, undefined, (key) => (key === CONFIG ? 'root' : undefined))
  assert.equal(object, { ...subnet(spec, { expiry: END }), metadata: { name: '10.1.5.0-24' } })
})

test('a key without an end is a reservation, and one that gets an end is none any more', () => {
  const key = `${SUBNETS}/10.1.5.0-24`
  const made = FLANNEL.toObject({ key, value: '{}', expires: undefined }, undefined, nobody) as ApiObject
  assert.equal(made.spec, { cidr: '10.1.5.0/24', parent: 'flannel', reservation: true })
  const leased = FLANNEL.toObject({ key, value: '{}', expires: Date.parse(END) }, made, nobody) as ApiObject
  assert.equal(leased.spec, { cidr: '10.1.5.0/24', parent: 'flannel' })
  assert.equal(leased.status, { expiry: END })
})

test('what the keys have no word for stays as it was', () => {
  const spec = { cidr: '10.1.5.0/24', parent: 'r', machineName: 'm1', backend: { type: 'vxlan' as const, port: 9 } }
  const before = subnet(spec, { programmedGeneration: 3 })
  const node = { key: `${SUBNETS}/10.1.5.0-24`, value: '{"BackendType":"host-gw"}', expires: Date.parse(END) }
  const after = FLANNEL.toObject(node, before, nobody) as ApiObject
  assert.equal(after.spec, { ...spec, backend: { type: 'host-gw', port: 9 } })
  assert.equal(after.status, { programmedGeneration: 3, expiry: END })
})

const REFUSED: readonly (readonly [key: string, value: string, cause: RegExp])[] = [
  [CONFIG, 'x', /not JSON/],
  [CONFIG, '[]', /must be a JSON object/],
  [CONFIG, '{}', /^Network: is required/],
  [CONFIG, '{"Network":"10.1.0.0"}', /^Network: "10\.1\.0\.0" is not an IPv4 range/],
  [CONFIG, '{"Network":"10.1.0.0/16","SubnetLen":8}', /^SubnetLen: must be an integer from 16 to 32/],
  [CONFIG, '{"Network":"10.1.0.0/16","SubnetMin":"a"}', /^SubnetMin/],
  [CONFIG, '{"Network":"10.1.0.0/16","Backend":{"Type":"udp"}}', /^Backend\.Type: "udp" is not one of vxlan, host-gw/],
  [CONFIG, '{"Network":"10.1.0.0/16","Backend":{"Type":"vxlan","VNI":"1"}}', /^Backend\.VNI: must be an integer/],
  [`${SUBNETS}/10.1.5.0-24`, '{"PublicIP":1}', /^PublicIP: must be a string/],
  [`${SUBNETS}/10.1.5.0-24`, '{"PublicIP":"1.2.3"}', /^PublicIP: "1\.2\.3" is not an IPv4 address/],
  [`${SUBNETS}/10.1.5.0-24`, '{"BackendData":{"VtepMAC":"no"}}', /^BackendData\.VtepMAC/],
]

for (const [key, value, cause] of REFUSED)
  test(`a value that means no object is refused by its field: ${value}`, () => {
    const refused = FLANNEL.toObject({ key, value, expires: undefined }, undefined, nobody)
    assert.ok(isFailure(refused))
    assert.is(refused.code, 209)
    assert.match(refused.cause, cause)
  })

const STANDINGS: readonly (readonly [key: string, standing: unknown])[] = [
  [CONFIG, 'object'],
  [`${SUBNETS}/10.1.5.0-24`, 'object'],
  ['/coreos.com/network/other', 'plain'],
  ['/coreos.com/network/blue/config', 'plain'],
  [`${CONFIG}/x`, 104],
  [`${SUBNETS}/10.1.5.0-24/x`, 104],
  [`${SUBNETS}/10.1.5.1-24`, 209],
  [`${SUBNETS}/10.1.5.0-33`, 209],
  [`${SUBNETS}/010.1.5.0-24`, 209],
  [`${SUBNETS}/_hidden`, 209],
]

test('each key below the prefix is an object, plain, or refused', () => {
  for (const [key, expected] of STANDINGS) {
    const standing = FLANNEL.standing(key)
    assert.is(typeof standing === 'string' ? standing : standing.code, expected, key)
  }
})

const octet = fc.integer({ min: 0, max: 255 })
const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'))
const range = fc.tuple(octet, octet, octet).map(([a, b, c]) => `${a}.${b}.${c}.0/24`)
const mac = fc
  .array(octet, { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((each) => each.toString(16).padStart(2, '0')).join(':'))
const type = fc.constantFrom('vxlan', 'host-gw', 'alloc')
const expiry = fc.constantFrom(END, '2031-01-01T00:00:00Z', '2031-06-01T02:00:00+02:00')
const status = fc.option(fc.record({ expiry, free: fc.nat() }, { requiredKeys: [] }), { nil: undefined })

const root = fc.record(
  {
    cidr: range,
    prefixLength: fc.integer({ min: 24, max: 32 }),
    min: fc.oneof(address, range),
    max: address,
    backend: fc.record(
      {
        type,
        vni: fc.integer({ min: 1, max: 100 }),
        port: fc.integer({ min: 1, max: 65_535 }),
        directRouting: fc.boolean(),
      },
      { requiredKeys: ['type'] },
    ),
  },
  { requiredKeys: ['cidr'] },
)
const lease = fc.record(
  {
    ...{ cidr: range, parent: fc.constantFrom('flannel', 'other'), machineName: fc.string(), publicIP: address },
    ...{ vtepMAC: mac, reservation: fc.boolean() },
    backend: fc.record({ type, vni: fc.integer({ min: 1, max: 100 }), port: fc.nat(99) }, { requiredKeys: ['type'] }),
  },
  { requiredKeys: ['cidr', 'parent'] },
)

test('writing back what a key shows changes nothing, whatever the object', () => {
  fc.assert(
    fc.property(fc.oneof(root, lease), status, (spec, itsStatus) => {
      const object = structuredClone(subnet(spec, itsStatus)) // of ordinary objects, as JSON gives them
      const showing = FLANNEL.toNodes(object)
      assert.not(isFault(showing), isFault(showing) ? showing.fault : '')
      for (const node of isFault(showing) ? [] : showing) assert.equal(FLANNEL.toObject(node, object, nobody), object)
    }),
    { numRuns: 500 },
  )
})

test('an object made from a key shows a key that means the same object', () => {
  const text = fc.oneof(fc.json(), fc.string())
  fc.assert(
    fc.property(
      fc.constantFrom(CONFIG, `${SUBNETS}/10.1.5.0-24`),
      fc.oneof(
        text,
        lease.map((spec) => JSON.stringify({ PublicIP: spec.publicIP, Network: spec.cidr, extra: spec })),
      ),
      fc.constantFrom(undefined, Date.parse(END)),
      (key, value, expires) => {
        const object = FLANNEL.toObject({ key, value, expires }, undefined, nobody)
        if (isFailure(object)) return
        const showing = FLANNEL.toNodes(object)
        assert.not(isFault(showing))
        const [node] = isFault(showing) ? [] : showing
        assert.is(node?.key, key)
        assert.is(node?.expires, expires)
        assert.equal(node && FLANNEL.toObject(node, object, nobody), object)
      },
    ),
    { numRuns: 500 },
  )
})

test.run()
