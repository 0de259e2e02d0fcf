/** Writers of Subnets, by object and by key, that get in each other's way on purpose. */
import type { ApiClient } from '../../../controllers/lib/client.ts'
import { Subnet } from '../../../crds/index.ts'
import { seeded } from '../random.ts'
import type { EtcdV2Client, EtcdV2Node } from './json-client.ts'

const SUBNETS = '/coreos.com/network/subnets'

export interface Door {
  readonly admin: ApiClient
  readonly keys: EtcdV2Client
}

/** Writes until `signal` aborts; what is refused or lost on the way is part of it. Resolves with what succeeded. */
export async function rival({ admin, keys }: Door, seed: number, signal: AbortSignal): Promise<number> {
  const { below: pick } = seeded(seed)
  let done = 0
  const steps = [
    (n: number) => keys.put(`${SUBNETS}/10.1.${n}.0-24`, { value: leaseOf(pick(250)), ttl: 1_000 + pick(50) }),
    (n: number) => keys.put(`${SUBNETS}/10.1.${n}.0-24`, { ttl: 2_000 + pick(50), refresh: true }, 'prevExist=true'),
    (n: number) => keys.put(`${SUBNETS}/10.1.${n}.0-24`, { value: leaseOf(pick(250)) }, 'prevExist=false'),
    (n: number) => keys.remove(`${SUBNETS}/10.1.${n}.0-24`),
    (n: number) => admin.create(Subnet, objectOf(n, pick(250))),
    (n: number) => replace(admin, n, pick(250)),
    (n: number) => admin.delete(Subnet, nameOf(n)),
  ]
  while (!signal.aborted) {
    const step = steps[pick(steps.length)]
    const answer = await step?.(pick(4)).catch((error: unknown) => ({ errorCode: error }))
    if (!(answer && typeof answer === 'object' && 'errorCode' in answer)) done += 1
  }
  return done
}

const nameOf = (n: number) => `10.1.${n}.0-24`
const leaseOf = (n: number) => `{ "PublicIP": "192.0.2.${n}", "BackendType": "host-gw" }`

function objectOf(n: number, ip: number) {
  return {
    metadata: { name: nameOf(n) },
    spec: { cidr: `10.1.${n}.0/24`, parent: 'flannel', publicIP: `192.0.2.${ip}` },
  }
}

async function replace(admin: ApiClient, n: number, ip: number): Promise<unknown> {
  const current = await admin.get(Subnet, nameOf(n))
  return admin.update(Subnet, { ...current, spec: { ...current.spec, publicIP: `192.0.2.${ip}` } })
}

/** `key address end`, by key: what both sides must say. */
export async function objectsAsText(admin: ApiClient): Promise<string[]> {
  const { items } = await admin.list(Subnet)
  return items
    .filter(({ spec }) => spec.parent !== undefined)
    .map(({ spec, status }) => `${spec.cidr.replace('/', '-')} ${spec.publicIP} ${endOf(status?.expiry)}`)
    .sort()
}

export async function keysAsText(keys: EtcdV2Client): Promise<string[]> {
  const nodes = (await keys.get(SUBNETS, 'quorum=true')).node?.nodes ?? []
  return nodes.map((node) => `${node.key.slice(SUBNETS.length + 1)} ${saidBy(node)}`).sort()
}

function saidBy({ value = '{}', expiration }: EtcdV2Node): string {
  return `${(JSON.parse(value) as { PublicIP?: string }).PublicIP} ${endOf(expiration)}`
}

const endOf = (time: string | undefined) => (time === undefined ? '-' : new Date(time).toISOString())
