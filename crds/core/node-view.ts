/** Machine → Node, and what a change of a Node means for its Machine. */
import type { ApiObject, Metadata } from '../kind.ts'
import type { Machine } from '../machine.ts'

type Labels = Record<string, string>

export function projectNode(source: ApiObject): ApiObject {
  const machine = source as unknown as Machine
  const { spec, status = {} } = machine
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: projectMetadata(machine),
    spec: {
      ...(spec?.unschedulable && { unschedulable: true }),
      ...(spec?.taints?.length && { taints: spec.taints }),
    },
    status: {
      ...(status.addresses && { addresses: status.addresses }),
      capacity: asText(status.capacity),
      allocatable: asText(status.allocatable ?? status.capacity),
      conditions: (status.conditions ?? []).map(({ observedGeneration: _generation, ...condition }) => ({
        ...condition,
        lastHeartbeatTime: condition.lastTransitionTime,
      })),
      ...(status.agent && { daemonEndpoints: { kubeletEndpoint: { Port: status.agent.port } } }),
      nodeInfo: info(machine),
    },
  }
}

function projectMetadata(machine: Machine): Metadata {
  const { managedFields: _fields, generation: _generation, labels, ...metadata } = machine.metadata
  return { ...metadata, labels: { ...wellKnownLabels(machine), ...labels } }
}

/** Labels that every node has, and that affinities and selectors written for Kubernetes count on. */
function wellKnownLabels({ metadata, status }: Machine): Labels {
  return {
    'kubernetes.io/hostname': metadata.name,
    'kubernetes.io/os': 'linux',
    ...(status?.architecture && { 'kubernetes.io/arch': architecture(status.architecture) }),
  }
}

/** Go's names for processors are what Kubernetes uses. */
function architecture(machine: string): string {
  return ({ x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' } as Labels)[machine] ?? machine
}

function info({ status = {} }: Machine): Record<string, string> {
  return {
    machineID: status.machineID ?? '',
    systemUUID: status.machineID ?? '',
    bootID: status.bootID ?? '',
    kernelVersion: status.kernelVersion ?? '',
    osImage: status.osImage ?? '',
    containerRuntimeVersion: '',
    kubeletVersion: status.agentVersion ?? '',
    kubeProxyVersion: '',
    operatingSystem: 'linux',
    architecture: architecture(status.architecture ?? ''),
  }
}

/** Clients in Go read quantities from text only. */
function asText(quantities: Readonly<Record<string, string | number>> = {}): Labels {
  return Object.fromEntries(Object.entries(quantities).map(([name, amount]) => [name, String(amount)]))
}

/** Labels, annotations, finalizers, cordon and taints: what users say of a machine. Its status is its agent's to say. */
export function absorbNode(source: ApiObject, node: ApiObject): ApiObject {
  const machine = source as unknown as Machine
  const { labels, annotations, finalizers, resourceVersion, ...metadata } = machine.metadata
  const { unschedulable, taints } = (node.spec ?? {}) as { unschedulable?: boolean; taints?: unknown[] }
  const { unschedulable: _before, taints: _taints, ...others } = machine.spec ?? {}
  const spec = { ...others, ...(unschedulable && { unschedulable }), ...(taints?.length && { taints }) }
  return {
    ...source,
    metadata: {
      ...metadata,
      ...kept({ labels: ownLabels(machine, node), annotations: node.metadata.annotations }),
      ...kept({ finalizers: node.metadata.finalizers }),
      ...(node.metadata.uid && { uid: node.metadata.uid }),
      ...(node.metadata.resourceVersion && { resourceVersion: node.metadata.resourceVersion }),
    },
    // A machine without a spec gets none for nothing: that would be a write.
    ...((machine.spec !== undefined || Object.keys(spec).length > 0) && { spec }),
  }
}

/** The labels of a changed node without those that only the view added. */
function ownLabels(machine: Machine, node: ApiObject): Labels {
  const added = wellKnownLabels(machine)
  const own = machine.metadata.labels ?? {}
  return Object.fromEntries(
    Object.entries(node.metadata.labels ?? {}).filter(([key, value]) => key in own || added[key] !== value),
  )
}

function kept(fields: { readonly [Field in keyof Metadata]?: Metadata[Field] | undefined }): Partial<Metadata> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value && Object.keys(value).length > 0))
}
