/** Nothing can be read: what units take from elsewhere is not there, for the reason given. */
import type { Sources } from '../render/sources.ts'

export function noSources(why: string): Sources {
  return {
    configMapKey: () => ({ absent: 'unknown', why }),
    secretKey: () => ({ absent: 'unknown', why }),
  }
}
