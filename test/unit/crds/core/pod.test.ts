import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pod } from '../../../../crds/index.ts'
import { take } from './support.ts'

type Spec = { containers: Record<string, unknown>[] } & Record<string, unknown>

const web = (fields: object = {}) => ({ name: 'web', image: 'nginx:1', ...fields })
const pod = (container: object = {}, spec: object = {}) => ({ spec: { containers: [web(container)], ...spec } })
const specOf = (input: object) => take(Pod, input).object.spec as Spec
const pods = suite('Pod')

pods('a pod of one line gets everything that users see in one', () => {
  const { object, refused } = take(Pod, { spec: { containers: [{ name: 'web', image: 'nginx' }] } })
  assert.equal(refused, [])
  assert.equal(object.spec, {
    containers: [
      {
        name: 'web',
        image: 'nginx',
        imagePullPolicy: 'Always',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        resources: {},
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    securityContext: {},
    enableServiceLinks: true,
  })
  assert.equal(object.status, { phase: 'Pending', qosClass: 'BestEffort' })
})

pods('an image is pulled always only where its tag can move', () => {
  const policy = (image: string) => specOf(pod({ image })).containers[0]?.imagePullPolicy
  assert.equal(['a', 'r:5000/a', 'a:latest'].map(policy), ['Always', 'Always', 'Always'])
  assert.equal(['a:1', 'r:5000/a:1', 'a@sha256:0'].map(policy), ['IfNotPresent', 'IfNotPresent', 'IfNotPresent'])
})

pods('probes, ports, volumes and requests are filled up', () => {
  const probe = { httpGet: { port: 80 } }
  const input = pod(
    { livenessProbe: probe, ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } },
    { volumes: [{ name: 'a' }, { name: 'b', configMap: { name: 'c' } }], hostNetwork: true },
  )
  const { containers, volumes } = specOf(input)
  assert.equal(containers[0]?.livenessProbe, {
    httpGet: { port: 80, path: '/', scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  })
  assert.equal(containers[0]?.ports, [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }])
  assert.equal(containers[0]?.resources, { limits: { cpu: '1' }, requests: { cpu: '1' } })
  assert.equal(volumes, [
    { name: 'a', emptyDir: {} },
    { name: 'b', configMap: { name: 'c', defaultMode: 420 } },
  ])
})

pods('the quality of service follows from requests and limits', () => {
  const quality = (resources: object) => (take(Pod, pod({ resources })).object.status as { qosClass: string }).qosClass
  assert.is(quality({}), 'BestEffort')
  assert.is(quality({ requests: { cpu: '100m' } }), 'Burstable')
  assert.is(quality({ limits: { cpu: '1', memory: '1Gi' } }), 'Guaranteed')
  assert.is(quality({ limits: { cpu: '1' } }), 'Burstable')
})

const REFUSED: readonly [string, object, readonly string[]][] = [
  ['no container', { spec: { containers: [] } }, ['spec.containers FieldValueRequired']],
  [
    'a container without an image',
    { spec: { containers: [{ name: 'a' }] } },
    ['spec.containers[0].image FieldValueRequired'],
  ],
  ['a container name in capitals', pod({ name: 'Web' }), ['spec.containers[0].name FieldValueInvalid']],
  [
    'two containers of one name',
    { spec: { containers: [web(), web()] } },
    ['spec.containers[1].name FieldValueDuplicate'],
  ],
  [
    'a name that an init container has',
    pod({}, { initContainers: [web()] }),
    ['spec.initContainers[0].name FieldValueDuplicate'],
  ],
  ['a restart policy nobody knows', pod({}, { restartPolicy: 'Often' }), ['spec.restartPolicy FieldValueNotSupported']],
  [
    'a pull policy nobody knows',
    pod({ imagePullPolicy: 'Often' }),
    ['spec.containers[0].imagePullPolicy FieldValueNotSupported'],
  ],
  [
    'port 70000',
    pod({ ports: [{ containerPort: 70_000 }] }),
    ['spec.containers[0].ports[0].containerPort FieldValueInvalid'],
  ],
  [
    'a mount of no volume',
    pod({ volumeMounts: [{ name: 'a', mountPath: '/a' }] }),
    ['spec.containers[0].volumeMounts[0].name FieldValueNotFound'],
  ],
  [
    'two mounts at one place',
    pod(
      {
        volumeMounts: [
          { name: 'a', mountPath: '/a' },
          { name: 'a', mountPath: '/a' },
        ],
      },
      { volumes: [{ name: 'a' }] },
    ),
    ['spec.containers[0].volumeMounts[1].mountPath FieldValueInvalid'],
  ],
  [
    'a volume of two kinds',
    pod({}, { volumes: [{ name: 'a', emptyDir: {}, hostPath: { path: '/' } }] }),
    ['spec.volumes[0].hostPath FieldValueForbidden'],
  ],
  [
    'a variable from nowhere',
    pod({ env: [{ name: 'A', valueFrom: {} }] }),
    ['spec.containers[0].env[0].valueFrom FieldValueInvalid'],
  ],
  ['a variable named with =', pod({ env: [{ name: 'A=B' }] }), ['spec.containers[0].env[0].name FieldValueInvalid']],
  ['a probe that does nothing', pod({ readinessProbe: {} }), ['spec.containers[0].readinessProbe FieldValueRequired']],
  [
    'a probe that does two things',
    pod({ readinessProbe: { exec: { command: ['true'] }, tcpSocket: { port: 1 } } }),
    ['spec.containers[0].readinessProbe.tcpSocket FieldValueForbidden'],
  ],
  [
    'more requested than allowed',
    pod({ resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } }),
    ['spec.containers[0].resources.requests FieldValueInvalid'],
  ],
  [
    'a toleration of nothing',
    pod({}, { tolerations: [{ effect: 'NoExecute' }] }),
    ['spec.tolerations[0].operator FieldValueInvalid'],
  ],
  [
    'a negative grace',
    pod({}, { terminationGracePeriodSeconds: -1 }),
    ['spec.terminationGracePeriodSeconds FieldValueInvalid'],
  ],
]

for (const [what, input, causes] of REFUSED)
  pods(`${what} is refused with its field`, () => assert.equal(take(Pod, input).refused, causes))

const before = take(Pod, pod({}, { tolerations: [{ key: 'a', operator: 'Exists' }], activeDeadlineSeconds: 10 })).object
const changed = (container: object, spec: object = {}) =>
  take(
    Pod,
    pod(container, { tolerations: [{ key: 'a', operator: 'Exists' }], activeDeadlineSeconds: 10, ...spec }),
    before,
  ).refused

pods('a pod may get another image, more tolerations and a nearer deadline', () => {
  assert.equal(changed({ image: 'nginx:2', imagePullPolicy: 'IfNotPresent' }), [])
  const more = [{ key: 'a', operator: 'Exists' }, { operator: 'Exists' }]
  assert.equal(changed({}, { tolerations: more, activeDeadlineSeconds: 5 }), [])
})

pods('nothing else of a pod may change', () => {
  assert.equal(changed({ command: ['x'] }), ['spec FieldValueForbidden'])
  assert.equal(changed({}, { nodeName: 'elsewhere' }), ['spec FieldValueForbidden'])
  assert.equal(changed({}, { containers: [web(), { name: 'b', image: 'b' }] }), ['spec.containers FieldValueForbidden'])
  assert.equal(changed({}, { tolerations: [] }), ['spec.tolerations FieldValueForbidden'])
  assert.equal(changed({}, { activeDeadlineSeconds: 20 }), ['spec.activeDeadlineSeconds FieldValueInvalid'])
})

pods('only a pod that a machine holds is given time to end', () => {
  const { graceSeconds } = Pod
  const bound = { ...before, spec: { ...(before.spec as object), nodeName: 'm1' } }
  assert.is(graceSeconds?.(before, undefined), 0)
  assert.is(graceSeconds?.(bound, undefined), 30)
  assert.is(graceSeconds?.(bound, 5), 5)
  assert.is(graceSeconds?.(bound, 0), 0)
  assert.is(graceSeconds?.({ ...bound, status: { phase: 'Succeeded' } }, undefined), 0)
})

pods('what kubectl run sends is taken', () => {
  const sent = {
    metadata: { name: 'x', creationTimestamp: null, labels: { run: 'x' } },
    spec: {
      containers: [{ name: 'x', image: 'busybox', resources: {} }],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
    },
    status: {},
  }
  assert.equal(take(Pod, sent).refused, [])
})

pods.run()
