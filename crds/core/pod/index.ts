import type { ObjectOf } from '../../kind.ts'
import { defineBuiltIn } from '../built-in.ts'
import { POD_COLUMNS } from './columns.ts'
import { completePod, GRACE_SECONDS } from './defaults.ts'
import { checkPod } from './rules.ts'
import { PodSpec } from './spec.ts'
import { PodStatus } from './status.ts'

export const Pod = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  scope: 'Namespaced',
  status: true,
  description: 'Containers that run together on one machine.',
  selectableFields: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  subresources: [{ name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] }],
  graceSeconds: (pod, asked) => {
    const { spec = {}, status = {} } = pod as {
      spec?: { nodeName?: string; terminationGracePeriodSeconds?: number }
      status?: { phase?: string }
    }
    // Nobody holds an unbound pod, and nothing of an ended one runs: there is nobody to wait for.
    if (!spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed') return 0
    return asked ?? spec.terminationGracePeriodSeconds ?? GRACE_SECONDS
  },
  fields: { spec: PodSpec, status: PodStatus.optional() },
  columns: POD_COLUMNS,
  complete: completePod,
  check: checkPod,
})
export type Pod = ObjectOf<typeof Pod>
