/** Pods: their rules, and what may not change any more. */
import { MERGE, STRATEGIC } from '../api-raw.ts'
import { container, POD, PODS, podBody } from './places.ts'
import {
  duplicate,
  forbidden,
  invalid,
  missing,
  type Refusal,
  type Row,
  required,
  row,
  undecodable,
  unsupported,
  wrong,
} from './row.ts'

type Cause = Parameters<typeof invalid>[2]
const change = (title: string, path: string, body: object, refused: Refusal, type = MERGE): Row =>
  row(title, `PATCH ${path}`, { type, body }, refused)
const RANGE = 'must be between 1 and 65535, inclusive'
const pod = (title: string, spec: object, ...causes: Cause[]): Row =>
  row(title, `POST ${PODS}`, { body: podBody('p', spec) }, invalid('Pod', 'p', ...causes))
const one = (title: string, rest: object, ...causes: Cause[]): Row =>
  pod(title, { containers: [container('c', rest)] }, ...causes)
const FIXED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const first = 'spec.containers[0]'

export const POD_RULES: readonly Row[] = [
  pod('no containers', { containers: [] }, required('spec.containers')),
  pod('a container twice', { containers: [container('c'), container('c')] }, duplicate('spec.containers[1].name', 'c')),
  pod(
    'an init container of the same name',
    { initContainers: [container('c')] },
    duplicate('spec.initContainers[0].name', 'c'),
  ),
  pod('a container without a name', { containers: [{ image: 'x', name: '' }] }, required(`${first}.name`)),
  pod('a container without an image', { containers: [{ name: 'c' }] }, required(`${first}.image`)),
  pod(
    'a volume twice',
    {
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'v', emptyDir: {} },
      ],
    },
    duplicate('spec.volumes[1].name', 'v'),
  ),
  pod(
    'a strange restart policy',
    { restartPolicy: 'Sometimes' },
    unsupported('spec.restartPolicy', 'Sometimes', 'Always', 'Never', 'OnFailure'),
  ),
  pod(
    'a deadline of nothing',
    { activeDeadlineSeconds: 0 },
    wrong('spec.activeDeadlineSeconds', 0, 'must be between 1 and 2147483647, inclusive'),
  ),
  one(
    'a mount of no volume',
    { volumeMounts: [{ name: 'v', mountPath: '/x' }] },
    missing(`${first}.volumeMounts[0].name`, 'v'),
  ),
  one(
    'a port beyond ports',
    { ports: [{ containerPort: 70_000 }] },
    wrong(`${first}.ports[0].containerPort`, 70_000, RANGE),
  ),
  one(
    'a port’s name twice',
    {
      ports: [
        { containerPort: 1, name: 'a' },
        { containerPort: 2, name: 'a' },
      ],
    },
    duplicate(`${first}.ports[1].name`, 'a'),
  ),
  one(
    'a strange protocol',
    { ports: [{ containerPort: 1, protocol: 'ICMP' }] },
    unsupported(`${first}.ports[0].protocol`, 'ICMP', 'SCTP', 'TCP', 'UDP'),
  ),
  one('a probe of nothing', { livenessProbe: {} }, required(`${first}.livenessProbe`, 'must specify a handler type')),
  change(
    'a pod’s command',
    POD,
    { spec: { containers: [{ name: 'c', command: ['x'] }] } },
    invalid('Pod', 'pod', forbidden('spec', FIXED)),
    STRATEGIC,
  ),
  change(
    'one container more',
    POD,
    { spec: { containers: [container('d')] } },
    invalid('Pod', 'pod', forbidden('spec.containers', 'pod updates may not add or remove containers')),
    STRATEGIC,
  ),
  change(
    'one toleration less',
    POD,
    { spec: { tolerations: [] } },
    invalid(
      'Pod',
      'pod',
      forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    ),
  ),
  row(
    'a pod of the wrong type',
    `POST ${PODS}`,
    { body: podBody('p', { containers: 'x' }) },
    undecodable('Pod', 'json: cannot unmarshal string into Go struct field Pod.spec.containers of type array'),
  ),
]
