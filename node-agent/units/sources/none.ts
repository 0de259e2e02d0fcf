/** For an agent that reads nothing: what units take from elsewhere is not there, and they say so. */
import type { Sources } from '../render/sources.ts'

export function noSources(why: string): Sources {
  return {
    configMapKey: () => ({ absent: 'unknown', why }),
    secretKey: () => ({ absent: 'unknown', why }),
  }
}
