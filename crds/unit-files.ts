/** What a unit consists of on its machine besides its own file, and whose names are whose. */
import * as z from 'zod'
import type { Violation } from './kind.ts'

/** fleet's limit is 2 KiB a line and etcd's 1.5 MiB a value; a unit file beyond this is a mistake. */
export const MAX_CONTENT_BYTES = 256 * 1024

/** Names of generated drop-ins begin so: they come after those of people, and win. */
export const GENERATED = 'zz-flotilla-'

/** It becomes a file's name, and a part of a drop-in's line. */
export const CREDENTIAL_NAME = /^[0-9A-Za-z_-][0-9A-Za-z_.-]{0,254}$/

export const DropIn = z.strictObject({
  name: z.string().regex(/^[0-9A-Za-z:_.-]+\.conf$/),
  content: z.string().max(MAX_CONTENT_BYTES),
})

/** Drop-ins that would be taken for the agent's own, or would undo them. */
export function checkDropIns(dropIns: readonly { readonly name: string }[] = []): Violation[] {
  return dropIns.flatMap(({ name }, index) =>
    name.startsWith(GENERATED)
      ? [{ path: ['spec', 'dropIns', index, 'name'], message: `begins with ${GENERATED}, as only the agent's own may` }]
      : [],
  )
}
