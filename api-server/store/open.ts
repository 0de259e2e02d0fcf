/** The backends by the name that `--store` takes. */
import { type EmbeddedOptions, openEmbeddedStore } from './embedded.ts'
import { openMemoryStore } from './memory.ts'
import type { Store } from './store.ts'

export type OpenOptions = EmbeddedOptions

const OPENERS: Readonly<Record<string, (options: OpenOptions) => Promise<Store>>> = {
  embedded: openEmbeddedStore,
  memory: async ({ watchBounds, historyMaxChanges }) =>
    openMemoryStore({ ...(watchBounds && { watchBounds }), ...(historyMaxChanges && { historyMaxChanges }) }),
}

/** Opens the backend called `name`. Throws, naming those there are, where there is none of that name. */
export async function openStore(name: string, options: OpenOptions): Promise<Store> {
  const open = Object.hasOwn(OPENERS, name) ? OPENERS[name] : undefined
  if (open === undefined) throw new Error(`no store is called ${name}; there are: ${Object.keys(OPENERS).join(', ')}`)
  return open(options)
}
