/** What units take from ConfigMaps and Secrets, and what of it is not there. */
import type { Unit } from '../../../crds/unit.ts'
import { environmentValue } from './environment-drop-in.ts'
import { wrongValue } from './quote.ts'

export type EnvironmentVariable = NonNullable<Unit['spec']['environment']>[number]
export type Credential = NonNullable<Unit['spec']['credentials']>[number]

/** An object that is not there, or that nobody could tell us of yet. */
export type Absence = 'unknown' | 'no-object' | 'no-key'

/** Looked up in namespace `default`. */
export interface Sources {
  /** The value, or why there is none. */
  configMapKey(
    name: string,
    key: string,
  ): { readonly value: string } | { readonly absent: Absence; readonly why?: string }
  /** The file that holds the encrypted value for a credential of that name, or why there is none. */
  secretKey(
    name: string,
    key: string,
    credential: string,
  ): { readonly blobPath: string } | { readonly absent: Absence | 'not-encrypted'; readonly why?: string }
}

export interface Missing {
  /** One sentence that names what is missing and what to do. */
  readonly message: string
  /** Only a matter of time: the answer is on its way. */
  readonly isPending: boolean
}

/** The first thing that the unit cannot be started without. */
export function missingSources({ spec }: Readonly<Unit>, sources: Sources): Missing | undefined {
  for (const variable of spec.environment ?? []) {
    const { name, configMapKeyRef: ref } = variable
    const found = ref && sources.configMapKey(ref.name, ref.key)
    if (found && 'absent' in found && isNeeded(ref, found.absent))
      return missing(`environment ${name}`, 'ConfigMap', ref, found)
    const wrong = wrongValue(name, environmentValue(variable, sources) ?? '')
    if (wrong !== undefined) return { message: `the value of environment ${name} ${wrong}`, isPending: false }
  }
  for (const { name, secretKeyRef: ref } of spec.credentials ?? []) {
    const found = sources.secretKey(ref.name, ref.key, name)
    if ('absent' in found && isNeeded(ref, found.absent)) return missing(`credential ${name}`, 'Secret', ref, found)
  }
  return undefined
}

interface Reference {
  readonly name: string
  readonly key: string
  readonly optional?: boolean | undefined
}

/** What is optional may be absent, but that has to be known: else a value would be left out that is there. */
function isNeeded({ optional }: Reference, absent: Absence | 'not-encrypted'): boolean {
  return !optional || absent === 'unknown' || absent === 'not-encrypted'
}

function missing(
  what: string,
  kind: 'ConfigMap' | 'Secret',
  { name, key }: Reference,
  { absent, why }: { readonly absent: Absence | 'not-encrypted'; readonly why?: string },
): Missing {
  const object = `${kind} default/${name}`
  const example = kind === 'Secret' ? 'secret generic' : 'configmap'
  const texts = {
    unknown: `${what} comes from ${object}, which could not be read${why ? `: ${why}` : ' yet'}`,
    'no-object': `${what} comes from ${object}, which does not exist: kubectl -n default create ${example} ${name} --from-literal=${key}=VALUE`,
    'no-key': `${what} comes from the key ${key} of ${object}, which it does not have: add the key, or make it optional`,
    'not-encrypted': `${what} comes from ${object}, and cannot be kept on this machine: ${why ?? 'not encrypted yet'}`,
  }
  return { message: texts[absent], isPending: absent === 'unknown' && why === undefined }
}
