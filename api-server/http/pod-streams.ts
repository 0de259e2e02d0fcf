/**
 * What kubectl does inside a Pod: logs, exec (cp too), attach, port-forward. No machine runs Pods yet, so each is refused
 * with the reason; before a machine is named, in the words of a kube-apiserver.
 */
import { Pod } from '../../crds/index.ts'
import { objectOf } from '../registry/entry.ts'
import { badRequest, StatusError } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { ResourceRequest } from './request-info.ts'

const STREAMS: ReadonlySet<string | undefined> = new Set(['log', 'exec', 'attach', 'portforward'])

export function isPodStream({ kind, name, subresource }: ResourceRequest): boolean {
  return kind === Pod && name !== undefined && STREAMS.has(subresource)
}

/** Throws 404 without the Pod, 400 before it has a machine, else 501 (a 503 would be tried again and again). */
export function refusePodStream(registry: Registry, { kind, namespace, name = '' }: ResourceRequest): never {
  const { nodeName } = objectOf(registry.get({ kind, namespace, name })).spec as { nodeName?: string }
  if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`)
  const why = `machine "${nodeName}" does not run pods: the object is kept, no container was started`
  throw new StatusError(501, 'NotImplemented', why)
}
