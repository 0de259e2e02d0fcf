import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Machine } from '../../../../crds/machine.ts'
import {
  addresses,
  type Facts,
  parseOsRelease,
  readEpoch,
  readFacts,
  resources,
} from '../../../../node-agent/machine/facts.ts'
import { type MachineSight, statusChange } from '../../../../node-agent/machine/status.ts'

const test = suite('agent: what a machine says of itself')

const NOW = new Date('2026-01-02T03:04:05Z')
const facts: Facts = {
  machineID: 'a'.repeat(32),
  bootID: 'b',
  addresses: [{ type: 'Hostname', address: 'm1' }],
  osImage: 'Linux',
}
const sight: MachineSight = {
  facts,
  agentVersion: '1.0.0',
  driver: 'system',
  trouble: undefined,
  door: { address: '10.0.0.1', port: 10250 },
}
const bare: Machine = { apiVersion: 'flotilla.dev/v1', kind: 'Machine', metadata: { name: 'm1', generation: 1 } }
const conditionsOf = (status: Machine['status']): string[] =>
  (status?.conditions ?? []).map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)

test('a new machine says everything', () => {
  const status = statusChange(bare, sight, NOW)
  assert.is(status?.machineID, facts.machineID)
  assert.equal(status?.agent, { address: '10.0.0.1', port: 10250 })
  assert.equal(conditionsOf(status), ['Ready=True AgentReady', 'SystemdReady=True SystemManager'])
})

test('nothing is said twice', () => {
  const status = statusChange(bare, sight, NOW) ?? {}
  assert.is(statusChange({ ...bare, status }, sight, new Date('2027-01-01T00:00:00Z')), undefined)
})

test('only what changed is said', () => {
  const status = statusChange(bare, sight, NOW) ?? {}
  const changed = statusChange({ ...bare, status }, { ...sight, facts: { ...facts, bootID: 'c' } }, NOW)
  assert.equal(changed, { bootID: 'c' })
})

test('a manager that is away makes the machine not ready, and says why', () => {
  const status = statusChange(bare, { ...sight, trouble: 'D-Bus is gone' }, NOW)
  assert.equal(conditionsOf(status), ['Ready=False DriverUnavailable', 'SystemdReady=False Unreachable'])
  assert.match(status?.conditions?.[0]?.message ?? '', 'D-Bus is gone')
})

test('a machine without systemd is ready, and says what runs its units', () => {
  const status = statusChange(bare, { ...sight, driver: 'process' }, NOW)
  assert.equal(conditionsOf(status), ['Ready=True AgentReady', 'SystemdReady=False ProcessDriver'])
})

test('conditions of others are kept', () => {
  const other = { type: 'DockerReady', status: 'True' as const, reason: 'Up', message: '', lastTransitionTime: 'x' }
  const status = statusChange({ ...bare, status: { conditions: [other] } }, sight, NOW)
  assert.equal(status?.conditions?.[0], other)
})

test('the first address outside loopback counts, unless one is given', () => {
  const common = { netmask: '', mac: '', cidr: null }
  const interfaces = {
    lo: [{ ...common, address: '127.0.0.1', family: 'IPv4' as const, internal: true }],
    eth0: [
      { ...common, address: 'fe80::1', family: 'IPv6' as const, internal: false, scopeid: 1 },
      { ...common, address: '10.1.2.3', family: 'IPv4' as const, internal: false },
    ],
  }
  assert.equal(addresses(interfaces, 'm1'), [
    { type: 'InternalIP', address: '10.1.2.3' },
    { type: 'Hostname', address: 'm1' },
  ])
  assert.is(addresses(interfaces, 'm1', '192.0.2.1')[0]?.address, '192.0.2.1')
  assert.equal(addresses({}, 'm1'), [{ type: 'Hostname', address: 'm1' }])
})

test('quantities are Kubernetes quantities', () => {
  assert.equal(resources(4, 1024 ** 3), {
    capacity: { cpu: '4', units: '500', memory: '1048576Ki' },
    allocatable: { cpu: '4', units: '500', memory: '917504Ki' },
  })
})

test('os-release is read with and without quotes', () => {
  const fields = parseOsRelease('PRETTY_NAME="A B"\nVERSION_ID=12\n# no\nEMPTY=\n')
  assert.equal(
    [...fields],
    [
      ['PRETTY_NAME', 'A B'],
      ['VERSION_ID', '12'],
      ['EMPTY', ''],
    ],
  )
})

test('this machine can be read', async () => {
  const found = await readFacts({ hasSystemd: false })
  assert.match(found.bootID ?? '', /^[0-9a-f-]{36}$/)
  assert.match(found.kernelVersion ?? '', /^\d+\./)
  assert.match(await readEpoch(), /^[0-9a-f-]{36}\/\d+$/)
})

test.run()
