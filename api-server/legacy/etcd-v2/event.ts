/** What happened at one index, kept as rendered: what a watcher is sent, and what finding it for a watcher takes. */

export type Action = 'set' | 'create' | 'update' | 'delete' | 'compareAndSwap' | 'compareAndDelete' | 'expire'

export interface Entry {
  readonly index: number
  readonly action: Action
  readonly key: string
  /** It was about a directory that went, with everything in it. */
  readonly tookDir: boolean
  /** Only the time to live was renewed: nobody is told. */
  readonly refresh: boolean
  /** The JSON with its line end, a byte string. */
  readonly body: string
}

const REMOVALS: ReadonlySet<Action> = new Set(['delete', 'compareAndDelete', 'expire'])

export function isRemoval({ action }: Entry): boolean {
  return REMOVALS.has(action)
}
