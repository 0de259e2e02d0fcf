/** What is done to a container to learn something of it, or to tell it something. */
import * as z from 'zod'
import { atomicList } from '../lists.ts'
import { PortNumberOrName } from '../references.ts'

const handlers = {
  exec: z
    .strictObject({ command: atomicList(z.string()).optional() })
    .optional()
    .describe('A command in the container; 0 is success.'),
  httpGet: z
    .strictObject({
      host: z.string().optional(),
      path: z.string().optional(),
      port: PortNumberOrName,
      scheme: z.enum(['HTTP', 'HTTPS']).optional(),
      httpHeaders: atomicList(z.strictObject({ name: z.string(), value: z.string() })).optional(),
    })
    .optional()
    .describe('An HTTP request; 200 to 399 is success.'),
  tcpSocket: z
    .strictObject({ host: z.string().optional(), port: PortNumberOrName })
    .optional()
    .describe('A connection; that it opens is success.'),
}

export const Probe = z.strictObject({
  ...handlers,
  grpc: z.strictObject({ port: z.int(), service: z.string().optional() }).optional(),
  initialDelaySeconds: z.int().optional(),
  timeoutSeconds: z.int().optional(),
  periodSeconds: z.int().optional(),
  successThreshold: z.int().optional(),
  failureThreshold: z.int().optional(),
  terminationGracePeriodSeconds: z.int().optional(),
})
export const PROBE_HANDLERS = ['exec', 'grpc', 'httpGet', 'tcpSocket']

const LifecycleHandler = z.strictObject({ ...handlers, sleep: z.strictObject({ seconds: z.int() }).optional() })
export const LIFECYCLE_HANDLERS = ['exec', 'httpGet', 'sleep', 'tcpSocket']

export const Lifecycle = z.strictObject({
  postStart: LifecycleHandler.optional().describe('Done right after the container started.'),
  preStop: LifecycleHandler.optional().describe('Done before it is told to end.'),
  stopSignal: z.string().optional(),
})
