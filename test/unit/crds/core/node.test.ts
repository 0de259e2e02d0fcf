import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { absorbNode, projectNode } from '../../../../crds/core/node-view.ts'
import { Node } from '../../../../crds/index.ts'
import type { ApiObject } from '../../../../crds/kind.ts'
import { cell } from './support.ts'

const machine: ApiObject = {
  apiVersion: 'flotilla.dev/v1',
  kind: 'Machine',
  metadata: {
    name: 'm1',
    uid: 'u',
    resourceVersion: '7',
    generation: 3,
    labels: { rack: 'a' },
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: { desiredUpdate: { version: '2' } },
  status: {
    machineID: 'id',
    bootID: 'boot',
    architecture: 'x86_64',
    agentVersion: '0.1.0',
    kernelVersion: '6.1',
    capacity: { cpu: 4, memory: '8Gi' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    agent: { address: '10.0.0.1', port: 10250 },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'AgentReady',
        message: 'well',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        observedGeneration: 1,
      },
    ],
  },
}

const nodes = suite('Node, a view of Machine')

nodes('a machine is seen as a node, valid by the schema', () => {
  const node = projectNode(machine)
  assert.ok(Node.schema.safeParse(node).success)
  assert.is(node.metadata.resourceVersion, '7')
  assert.is(node.metadata.generation, undefined)
  assert.equal(node.metadata.labels, {
    'kubernetes.io/hostname': 'm1',
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    rack: 'a',
  })
  const status = node.status as Record<string, Record<string, unknown>>
  assert.equal(status.capacity, { cpu: '4', memory: '8Gi' })
  assert.is(status.nodeInfo?.kubeletVersion, '0.1.0')
})

nodes('a node that is written back unchanged changes nothing of its machine', () => {
  assert.equal(absorbNode(machine, projectNode(machine)), machine)
})

nodes('cordon and taints go into the spec, beside what the node does not show', () => {
  const node = projectNode(machine)
  node.spec = { unschedulable: true, taints: [{ key: 'a', effect: 'NoSchedule' }] }
  assert.equal(absorbNode(machine, node).spec, {
    desiredUpdate: { version: '2' },
    unschedulable: true,
    taints: [{ key: 'a', effect: 'NoSchedule' }],
  })
  assert.equal(absorbNode({ ...machine, spec: { unschedulable: true } }, projectNode(machine)).spec, {})
})

nodes('labels are the users own, those of the view stay out', () => {
  const node = projectNode(machine)
  node.metadata.labels = { ...node.metadata.labels, rack: 'b', new: 'yes' }
  assert.equal(absorbNode(machine, node).metadata.labels, { rack: 'b', new: 'yes' })
  delete node.metadata.labels.rack
  delete node.metadata.labels.new
  assert.is(absorbNode(machine, node).metadata.labels, undefined)
})

nodes('what a node says of its status does not reach the machine', () => {
  const node = { ...projectNode(machine), status: { capacity: { cpu: '1000' } } }
  assert.equal(absorbNode(machine, node).status, machine.status)
})

nodes('the table says whether it is ready and takes work', () => {
  assert.is(cell(Node, 'Status', projectNode(machine)), 'Ready')
  assert.is(
    cell(Node, 'Status', projectNode({ ...machine, spec: { unschedulable: true } })),
    'Ready,SchedulingDisabled',
  )
  assert.is(cell(Node, 'Status', projectNode({ ...machine, status: {} })), 'Unknown')
  assert.is(cell(Node, 'Roles', projectNode(machine)), '<none>')
  assert.is(cell(Node, 'Roles', { metadata: { labels: { 'node-role.kubernetes.io/edge': '' } } }), 'edge')
  assert.is(cell(Node, 'Internal-IP', projectNode(machine)), '10.0.0.1')
  assert.is(cell(Node, 'OS-Image', projectNode(machine)), '<unknown>')
})

nodes.run()
