import * as z from 'zod'
import { atomic, atomicList, keyedList } from '../lists.ts'
import { Lifecycle, Probe } from './probe.ts'
import { Resources } from './resources.ts'
import { ContainerSecurityContext } from './security.ts'

export const KeySelector = atomic(
  z.strictObject({ name: z.string().default(''), key: z.string(), optional: z.boolean().optional() }),
)
export const FieldSelector = atomic(z.strictObject({ apiVersion: z.string().default('v1'), fieldPath: z.string() }))
export const ResourceFieldSelector = atomic(
  z.strictObject({
    containerName: z.string().optional(),
    resource: z.string(),
    divisor: z.union([z.string(), z.number()]).meta({ 'x-kubernetes-int-or-string': true }).default('0'),
  }),
)

const Variable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .strictObject({
      configMapKeyRef: KeySelector.optional(),
      secretKeyRef: KeySelector.optional(),
      fieldRef: FieldSelector.optional(),
      resourceFieldRef: ResourceFieldSelector.optional(),
    })
    .optional(),
})

const Source = z.strictObject({ name: z.string().default(''), optional: z.boolean().optional() })

const Port = z.strictObject({
  name: z.string().optional(),
  containerPort: z.int(),
  hostPort: z.int().optional(),
  hostIP: z.string().optional(),
  protocol: z.string().default('TCP'),
})

const Mount = z.strictObject({
  name: z.string(),
  mountPath: z.string(),
  readOnly: z.boolean().optional(),
  recursiveReadOnly: z.string().optional(),
  subPath: z.string().optional(),
  subPathExpr: z.string().optional(),
  mountPropagation: z.string().optional(),
})

const containerFields = {
  name: z.string().describe('Unique in the pod.'),
  image: z.string().optional(),
  imagePullPolicy: z.string().optional().describe('Always, IfNotPresent or Never.'),
  command: atomicList(z.string()).optional().describe("Instead of the image's entry point."),
  args: atomicList(z.string()).optional(),
  workingDir: z.string().optional(),
  env: keyedList(Variable, 'name').optional(),
  envFrom: atomicList(
    z.strictObject({ prefix: z.string().optional(), configMapRef: Source.optional(), secretRef: Source.optional() }),
  ).optional(),
  ports: keyedList(Port, 'containerPort', ['containerPort', 'protocol']).optional(),
  resources: Resources.optional(),
  resizePolicy: atomicList(z.strictObject({ resourceName: z.string(), restartPolicy: z.string() })).optional(),
  restartPolicy: z.string().optional().describe('Always, for an init container that runs beside the others.'),
  volumeMounts: keyedList(Mount, 'mountPath').optional(),
  volumeDevices: keyedList(z.strictObject({ name: z.string(), devicePath: z.string() }), 'devicePath').optional(),
  livenessProbe: Probe.optional().describe('Fails: the container is started anew.'),
  readinessProbe: Probe.optional().describe('Fails: the pod is not ready.'),
  startupProbe: Probe.optional().describe('Until it succeeds the other probes wait.'),
  lifecycle: Lifecycle.optional(),
  securityContext: ContainerSecurityContext.optional(),
  terminationMessagePath: z.string().optional(),
  terminationMessagePolicy: z.string().optional(),
  stdin: z.boolean().optional(),
  stdinOnce: z.boolean().optional(),
  tty: z.boolean().optional(),
}

export const Container = z.strictObject(containerFields)
export const EphemeralContainer = z.strictObject({ ...containerFields, targetContainerName: z.string().optional() })
