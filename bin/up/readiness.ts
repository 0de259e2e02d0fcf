/** Waits until machines say that they are Ready, by watching them as everybody does. */

import { objectOf } from '../../api-server/registry/entry.ts'
import type { Registry } from '../../api-server/registry/registry.ts'
import { Machine } from '../../crds/index.ts'
import type { Condition } from '../../crds/metadata.ts'

const READY_TIMEOUT_MS = 60_000

/** Rejects, naming the machines that are not Ready, after a minute or when `signal` aborts. */
export function machinesReady(registry: Registry, names: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (missing(registry, names).length > 0) return
      release()
      resolve()
    }
    const giveUp = () => {
      release()
      reject(new Error(`not Ready: ${missing(registry, names).join(', ')}; look with: kubectl describe machines`))
    }
    const cancel = registry.feed.cache(Machine).watchers.add({ deliver: () => void setImmediate(look) }, undefined)
    const timer = setTimeout(giveUp, READY_TIMEOUT_MS)
    signal.addEventListener('abort', giveUp, { once: true })
    const release = () => {
      cancel()
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
    look()
  })
}

function missing(registry: Registry, names: readonly string[]): string[] {
  return names.filter((name) => {
    const entry = registry.find({ kind: Machine, namespace: undefined, name })
    const status = entry && (objectOf(entry).status as { conditions?: Condition[] } | undefined)
    return !status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
  })
}
