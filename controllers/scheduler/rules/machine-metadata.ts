import type { MetadataAsk } from '../ask.ts'
import type { Host, Rule } from './rule.ts'

/** A machine's fleet metadata are those of its labels whose key has no domain prefix: `disk`, not `kubernetes.io/os`. */
function has({ labels }: Host, { key, values }: MetadataAsk): boolean {
  return !key.includes('/') && Object.hasOwn(labels, key) && values.includes(labels[key] ?? '')
}

/** MachineMetadata: any value of a key, all keys. */
export const machineMetadata: Rule = {
  name: 'machineMetadata',
  fixed: true,
  keeps: true,
  check: ({ metadata }) =>
    metadata.length === 0
      ? undefined
      : {
          refuses: (host) => !metadata.every((each) => has(host, each)),
          because: (host) => {
            const { key, values } = metadata.find((each) => !has(host, each)) ?? { key: '', values: [] }
            return {
              reason: `has no metadata ${values.map((value) => `${key}=${value}`).join(' or ')}`,
              ...(host.labels[key] === undefined ? {} : { detail: `${key}=${host.labels[key]}` }),
              fix: `kubectl label --overwrite machine ${host.name} ${key}=${values[0]}`,
            }
          },
        },
}
