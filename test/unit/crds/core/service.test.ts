import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Service } from '../../../../crds/index.ts'
import { cell, take } from './support.ts'

const services = suite('Service')
const port = (fields: object = {}) => ({ port: 80, ...fields })

services('ports are filled up, types and policies defaulted', () => {
  const { object, refused } = take(Service, { spec: { ports: [port()] } })
  assert.equal(refused, [])
  assert.equal(object.spec, {
    type: 'ClusterIP',
    ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
  })
  assert.equal(object.status, { loadBalancer: {} })
})

const REFUSED: readonly [string, object, readonly string[]][] = [
  ['no ports', {}, ['spec.ports FieldValueRequired']],
  ['a type nobody knows', { type: 'Magic', ports: [port()] }, ['spec.type FieldValueNotSupported']],
  ['port 0', { ports: [port({ port: 0, targetPort: 1 })] }, ['spec.ports[0].port FieldValueInvalid']],
  [
    'several ports, one without a name',
    { ports: [port({ name: 'a' }), port({ port: 81 })] },
    ['spec.ports[1].name FieldValueRequired'],
  ],
  [
    'two ports of one name',
    { ports: [port({ name: 'a' }), port({ name: 'a', port: 81 })] },
    ['spec.ports[1].name FieldValueDuplicate'],
  ],
  ['the same port twice', { ports: [port({ name: 'a' }), port({ name: 'b' })] }, ['spec.ports[1] FieldValueDuplicate']],
  [
    'a protocol nobody speaks',
    { ports: [port({ protocol: 'tcp' })] },
    ['spec.ports[0].protocol FieldValueNotSupported'],
  ],
  [
    'a target port name with a blank',
    { ports: [port({ targetPort: 'a b' })] },
    ['spec.ports[0].targetPort FieldValueInvalid'],
  ],
  ['an address that is none', { clusterIP: 'here', ports: [port()] }, ['spec.clusterIPs[0] FieldValueInvalid']],
  ['an external name that is missing', { type: 'ExternalName' }, ['spec.externalName FieldValueRequired']],
  [
    'an address for an external name',
    { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1' },
    ['spec.clusterIPs FieldValueForbidden'],
  ],
]

for (const [what, spec, causes] of REFUSED)
  services(`${what} is refused with its field`, () => assert.equal(take(Service, { spec }).refused, causes))

services('a headless service needs no port', () => {
  const { object, refused } = take(Service, { spec: { clusterIP: 'None' } })
  assert.equal(refused, [])
  assert.equal((object.spec as { clusterIPs?: string[] }).clusterIPs, ['None'])
})

services('an address once set stays, also when a write leaves it out', () => {
  const { object } = take(Service, { spec: { clusterIP: '10.0.0.1', ports: [port()] } })
  const kept = take(Service, { spec: { ports: [port({ port: 81 })] } }, object)
  assert.equal(kept.refused, [])
  assert.is((kept.object.spec as { clusterIP?: string }).clusterIP, '10.0.0.1')
  assert.equal(take(Service, { spec: { clusterIP: '10.0.0.2', ports: [port()] } }, object).refused, [
    'spec.clusterIPs[0] FieldValueInvalid',
  ])
})

services('names are DNS labels that begin with a letter', () => {
  assert.ok(Service.checkName?.('1web'))
  assert.ok(Service.checkName?.('a.b'))
  assert.is(Service.checkName?.('web-1'), undefined)
})

services('the table says <none> for what is not there', () => {
  const spec = { type: 'ClusterIP' }
  assert.is(cell(Service, 'Cluster-IP', { spec }), '<none>')
  assert.is(cell(Service, 'External-IP', { spec }), '<none>')
  assert.is(cell(Service, 'Port(s)', { spec }), '<none>')
  assert.is(cell(Service, 'Selector', { spec }), '<none>')
})

services('the table shows ports, selectors and outside addresses', () => {
  const ports = [
    { port: 80, nodePort: 30080, protocol: 'TCP' },
    { port: 53, protocol: 'UDP' },
  ]
  assert.is(cell(Service, 'Port(s)', { spec: { ports } }), '80:30080/TCP,53/UDP')
  assert.is(cell(Service, 'Selector', { spec: { selector: { b: '2', a: '1' } } }), 'a=1,b=2')
  assert.is(cell(Service, 'External-IP', { spec: { type: 'LoadBalancer' } }), '<pending>')
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
  assert.is(cell(Service, 'External-IP', { spec: { type: 'LoadBalancer' }, status }), '192.0.2.1')
  assert.is(cell(Service, 'External-IP', { spec: { type: 'ExternalName', externalName: 'a.b' } }), 'a.b')
})

services.run()
