/**
 * Secrets that units name: followed at the server, and kept on disk encrypted only. In plain they are in this process's
 * memory and, while a service runs, in its $CREDENTIALS_DIRECTORY, which is memory too.
 */
import { Secret } from '../../../crds/core/index.ts'
import { limiter } from '../limiter.ts'
import type { Sources } from '../render/sources.ts'
import type { CredentialBlobs } from './credential-blobs.ts'
import { type FollowingOptions, followObjects } from './following.ts'
import { type SecretUse, useId } from './needs.ts'
import type { Encrypt } from './systemd-creds.ts'

export interface SecretsOptions extends Omit<FollowingOptions<typeof Secret>, 'kind' | 'takeIn'> {
  readonly blobs: CredentialBlobs
  readonly encrypt: Encrypt
}

export interface Secrets {
  /** Follows these and no others; the blobs of all others go. */
  keepTo(uses: ReadonlyMap<string, readonly SecretUse[]>): void
  /** `online`: the server's word is waited for; else the blob of before has to do. */
  key(use: SecretUse, online: boolean): ReturnType<Sources['secretKey']>
}

const AT_ONCE = 4

export function followSecrets(options: SecretsOptions): Secrets {
  const { blobs, log } = options
  const vault = openVault(options)
  let wanted: ReadonlyMap<string, readonly SecretUse[]> = new Map()
  const following = followObjects({
    ...options,
    kind: Secret,
    takeIn: async (name, object) => {
      if (object !== undefined) await Promise.all((wanted.get(name) ?? []).map((use) => vault.takeIn(use, object)))
    },
  })
  return {
    keepTo(uses) {
      wanted = uses
      following.keepTo(new Set(uses.keys()))
      for (const name of uses.keys()) following.again(name)
      vault.keepTo([...uses.values()].flat()).catch((error) => log.warn({ err: error }, 'old credential not removed'))
    },
    key(use, online) {
      const known = following.get(use.secret)
      const path = { blobPath: blobs.pathOf(use) }
      if (!known.told) {
        if (blobs.has(use) && (!online || known.why !== undefined)) return path
        const failure = vault.failure(use)
        if (failure !== undefined) return { absent: 'not-encrypted', why: failure }
        return { absent: 'unknown', ...(known.why === undefined ? {} : { why: known.why }) }
      }
      if (known.object === undefined) return { absent: 'no-object' }
      if (known.object.data?.[use.key] === undefined) return { absent: 'no-key' }
      return vault.holds(use, known.object) ? path : { absent: 'unknown' }
    },
  }
}

/** Encrypts each use once a version. Every agent does so anew: nothing on disk may tell whether a value is the same. */
function openVault({ blobs, encrypt, signal }: SecretsOptions) {
  const limit = limiter(AT_ONCE)
  const versions = new Map<string, string>()
  const failures = new Map<string, string>()
  const holds = (use: SecretUse, object: Readonly<Secret>) => versions.get(useId(use)) === versionOf(object)
  return {
    holds,
    /** Why it could not be encrypted. */
    failure: (use: SecretUse) => failures.get(useId(use)),
    async takeIn(use: SecretUse, object: Readonly<Secret>): Promise<void> {
      const value = object.data?.[use.key]
      if (value === undefined || holds(use, object)) return
      try {
        await blobs.put(use, await limit(() => encrypt(use.credential, Buffer.from(value, 'base64'), signal)))
      } catch (error) {
        failures.set(useId(use), (error as Error).message)
        throw error
      }
      failures.delete(useId(use))
      versions.set(useId(use), versionOf(object))
    },
    async keepTo(uses: readonly SecretUse[]): Promise<void> {
      const ids = new Set(uses.map(useId))
      for (const byUse of [versions, failures]) for (const id of byUse.keys()) if (!ids.has(id)) byUse.delete(id)
      await blobs.keepTo(uses)
    },
  }
}

function versionOf({ metadata }: Readonly<Secret>): string {
  return `${metadata.uid} ${metadata.resourceVersion}`
}
