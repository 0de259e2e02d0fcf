/** What `kubectl get nodes` shows. */
import type { ApiObject, Column } from '../kind.ts'
import { recordAt, recordsAt } from './built-in.ts'
import { AGE, NONE, textOr } from './columns.ts'

const UNKNOWN = '<unknown>'

export const NODE_COLUMNS: readonly Column[] = [
  {
    name: 'Status',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: 'Whether its agent answers, and whether it takes new work.',
    cell: statusText,
  },
  { name: 'Roles', type: 'string', jsonPath: '.metadata.labels', description: 'Roles by label.', cell: rolesText },
  AGE,
  {
    name: 'Version',
    type: 'string',
    jsonPath: '.status.nodeInfo.kubeletVersion',
    description: 'Version of the agent.',
  },
  address('Internal-IP', 'InternalIP', 'Its address inside the fleet.'),
  address('External-IP', 'ExternalIP', 'Its address outside.'),
  information('OS-Image', 'osImage', 'Operating system.'),
  information('Kernel-Version', 'kernelVersion', 'Kernel release.'),
  information('Container-Runtime', 'containerRuntimeVersion', 'What runs its containers.'),
]

function statusText(node: ApiObject): string {
  const ready = recordsAt(recordAt(node, 'status'), 'conditions').find(({ type }) => type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return recordAt(node, 'spec')?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

const ROLE = 'node-role.kubernetes.io/'

function rolesText({ metadata }: ApiObject): string {
  const labels = Object.entries(metadata.labels ?? {})
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE) && key.length > ROLE.length) return key.slice(ROLE.length)
    return key === 'kubernetes.io/role' && value !== '' ? value : []
  })
  return roles.length > 0 ? roles.sort().join(',') : NONE
}

function address(name: string, type: string, description: string): Column {
  const cell = (node: ApiObject) => {
    const found = recordsAt(recordAt(node, 'status'), 'addresses').find((one) => one.type === type)
    return textOr(found?.address, NONE)
  }
  return { name, type: 'string', jsonPath: '.status.addresses', description, priority: 1, cell }
}

function information(name: string, field: string, description: string): Column {
  const cell = (node: ApiObject) => textOr(recordAt(recordAt(node, 'status'), 'nodeInfo')?.[field], UNKNOWN)
  return { name, type: 'string', jsonPath: `.status.nodeInfo.${field}`, description, priority: 1, cell }
}
