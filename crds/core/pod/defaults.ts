/** What a kube-apiserver fills into a Pod, and users therefore see in one. */
import type { ApiObject } from '../../kind.ts'
import { fill, isRecord, recordAt, recordsAt } from '../built-in.ts'
import { amountOf } from './resources.ts'
import { VOLUME_SOURCES } from './volume.ts'

type Json = Record<string, unknown>

export const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers']
export const GRACE_SECONDS = 30

export function completePod(object: ApiObject, previous: ApiObject | undefined): void {
  const { spec } = object
  if (isRecord(spec)) completeSpec(spec)
  // Ephemeral containers come by their own subresource only.
  if (isRecord(spec)) keepEphemeral(spec, recordAt(previous, 'spec'))
  object.status ??= { phase: 'Pending', qosClass: isRecord(spec) ? qosClass(spec) : 'BestEffort' }
}

function completeSpec(spec: Json): void {
  fill(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: GRACE_SECONDS,
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    securityContext: {},
    enableServiceLinks: true,
  })
  completeAccount(spec)
  for (const list of CONTAINER_LISTS)
    for (const container of recordsAt(spec, list)) completeContainer(container, spec.hostNetwork === true)
  for (const volume of recordsAt(spec, 'volumes'))
    if (!VOLUME_SOURCES.some((source) => source in volume)) volume.emptyDir = {}
}

/** The old name and the new one always say the same. */
function completeAccount(spec: Json): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name) Object.assign(spec, { serviceAccountName: name, serviceAccount: name })
}

function completeContainer(container: Json, hostNetwork: boolean): void {
  fill(container, {
    imagePullPolicy: isLatest(container.image) ? 'Always' : 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: {},
  })
  for (const port of recordsAt(container, 'ports')) {
    fill(port, { protocol: 'TCP' })
    if (hostNetwork) fill(port, { hostPort: port.containerPort })
  }
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) completeProbe(recordAt(container, probe))
  for (const hook of ['postStart', 'preStop']) completeHttp(recordAt(recordAt(container, 'lifecycle'), hook))
  const resources = recordAt(container, 'resources')
  const limits = recordAt(resources, 'limits')
  if (resources && limits) resources.requests = { ...limits, ...recordAt(resources, 'requests') }
}

/** No tag, or the tag `latest`: whatever is newest. A digest is always the same image. */
function isLatest(image: unknown): boolean {
  const name = String(image ?? '')
  if (name.includes('@')) return false
  const tag = name.slice(name.lastIndexOf('/') + 1).split(':')[1]
  return tag === undefined || tag === 'latest'
}

function completeProbe(probe: Json | undefined): void {
  fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
  fill(recordAt(probe, 'grpc'), { service: '' })
  completeHttp(probe)
}

function completeHttp(handler: Json | undefined): void {
  fill(recordAt(handler, 'httpGet'), { path: '/', scheme: 'HTTP' })
}

function keepEphemeral(spec: Json, previous: Json | undefined): void {
  if (previous?.ephemeralContainers === undefined) return
  spec.ephemeralContainers ??= previous.ephemeralContainers
}

const COUNTED = ['cpu', 'memory']

/** How a pod is treated when memory runs out: Guaranteed, Burstable or BestEffort. */
export function qosClass(spec: Json): string {
  const all = ['initContainers', 'containers']
    .flatMap((list) => recordsAt(spec, list))
    .map((one) => recordAt(one, 'resources'))
  const amounts = (resources: Json | undefined, what: string) =>
    COUNTED.map((name) => amountOf(recordAt(resources, what)?.[name] ?? 0))
  const asksNothing = all.every((one) =>
    [...amounts(one, 'requests'), ...amounts(one, 'limits')].every((amount) => amount === 0),
  )
  if (asksNothing) return 'BestEffort'
  const isFixed = all.every((one) => {
    const requests = amounts(one, 'requests')
    return amounts(one, 'limits').every((limit, at) => limit > 0 && limit === requests[at])
  })
  return isFixed ? 'Guaranteed' : 'Burstable'
}
