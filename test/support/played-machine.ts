/** A machine that nobody runs: ready by its own word, and alive for as long as its one lease lasts. */
import type { ApiClient } from '../../controllers/lib/client.ts'
import { Lease } from '../../crds/core/index.ts'
import { MACHINE_LEASES } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'

/** Longer than any test: it never renews. */
export const PLAYED_LEASE_MS = 120_000

export async function bringUp(admin: ApiClient, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const spec = { holderIdentity: name, leaseDurationSeconds: PLAYED_LEASE_MS / 1000 }
  await admin.create(Lease, { metadata: { name, namespace: MACHINE_LEASES }, spec })
  await admin.create(Machine, { metadata: { name, labels } })
  const lastTransitionTime = new Date().toISOString()
  const ready = { type: 'Ready', status: 'True', reason: 'AgentReady', message: 'ready', lastTransitionTime }
  const body = { status: { conditions: [ready] } }
  await admin.patch(Machine, name, { type: 'merge', subresource: 'status', body })
}
