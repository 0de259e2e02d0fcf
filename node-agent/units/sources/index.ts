/** What units take from ConfigMaps and Secrets of the API: followed while a unit of this machine names it. */
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { ApiReader } from '../../../controllers/lib/client.ts'
import type { ConfigMap } from '../../../crds/core/index.ts'
import type { Unit } from '../../../crds/unit.ts'
import { openCopies } from '../copies.ts'
import type { Sources } from '../render/sources.ts'
import { type ConfigMaps, followConfigMaps } from './config-maps.ts'
import { openCredentialBlobs } from './credential-blobs.ts'
import { type Needs, needsOf } from './needs.ts'
import { followSecrets, type Secrets } from './secrets.ts'
import { type Encrypt, encryptForHost } from './systemd-creds.ts'

export interface UnitSourcesOptions {
  readonly client: ApiReader
  readonly dataDir: string
  /** Something is known now that was not before. */
  readonly wake: () => void
  readonly log: Logger
  readonly signal: AbortSignal
  /** False where no manager could decrypt them: then no Secret is asked for either. */
  readonly readsSecrets: boolean
  readonly encrypt?: Encrypt
}

export interface UnitSources {
  /**
   * What these units take, as far as it is known; follows it from now on, and nothing else. The same answer as before as
   * long as nothing has changed. `online`: the server's word is waited for, else what is on disk has to do.
   */
  of(units: Iterable<Readonly<Unit>>, online: boolean): Sources
}

/** Copies and blobs of an earlier agent are taken up; nothing is asked before a unit needs it. */
export async function openUnitSources(options: UnitSourcesOptions): Promise<UnitSources> {
  const { client, dataDir, wake, log, signal, readsSecrets, encrypt = encryptForHost } = options
  const copies = openCopies<ConfigMap>(dataDir, 'ConfigMap')
  const kept = await copies.load((file, error) => log.error({ file, err: error }, 'copy unreadable, left alone'))
  const blobs = await openCredentialBlobs(dataDir)
  let answer: { readonly online: boolean; readonly sources: Sources } | undefined
  const onChange = (): void => {
    answer = undefined
    wake()
  }
  const shared = { client, log, signal, onChange }
  const configMaps = followConfigMaps({ ...shared, copies, kept })
  const secrets = followSecrets({ ...shared, blobs, encrypt })
  let needs: Needs | undefined
  return {
    of(units, online) {
      const now = needsOf(units)
      if (!isDeepStrictEqual(now, needs)) {
        needs = now
        answer = undefined
        configMaps.keepTo(now.configMaps)
        secrets.keepTo(readsSecrets ? now.secrets : new Map())
      }
      if (answer?.online !== online) answer = { online, sources: sourcesOf(configMaps, secrets, online) }
      return answer.sources
    },
  }
}

function sourcesOf(configMaps: ConfigMaps, secrets: Secrets, online: boolean): Sources {
  return {
    configMapKey: (name, key) => configMaps.key(name, key, online),
    secretKey: (secret, key, credential) => secrets.key({ secret, key, credential }, online),
  }
}
