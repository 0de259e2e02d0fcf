/** All asks that may be placed or asked about, by their names. */
import type { Ask } from './ask.ts'

export interface Asks {
  named(name: string): Ask | undefined
  /** By either of its names. */
  knownAs(name: string): readonly Ask[]
  calledOnMachine(alias: string): readonly Ask[]
  all(): Iterable<Ask>
  /** `onAlias` is called when nobody had its name on the machine before, or nobody has it any more. */
  add(ask: Ask, onAlias: (alias: string) => void): void
  remove(ask: Ask, onAlias: (alias: string) => void): void
  /** Grows with each change. */
  readonly version: number
}

const NONE: readonly Ask[] = []

export function createAsks(): Asks {
  const byName = new Map<string, Ask>()
  /** Those that are called otherwise on their machine; few are. */
  const others = new Map<string, readonly Ask[]>()
  let version = 0
  const calledOnMachine = (alias: string): readonly Ask[] => {
    const own = byName.get(alias)
    const same = others.get(alias) ?? NONE
    return own?.alias === alias ? [own, ...same] : same
  }
  return {
    named: (name) => byName.get(name),
    knownAs: (name) => {
      const own = byName.get(name)
      const same = others.get(name) ?? NONE
      return own ? [own, ...same] : same
    },
    calledOnMachine,
    all: () => byName.values(),
    add: (ask, onAlias) => {
      version++
      const isNew = calledOnMachine(ask.alias).length === 0
      byName.set(ask.name, ask)
      if (ask.alias !== ask.name) others.set(ask.alias, [...(others.get(ask.alias) ?? NONE), ask])
      if (isNew) onAlias(ask.alias)
    },
    remove: (ask, onAlias) => {
      version++
      byName.delete(ask.name)
      const rest = (others.get(ask.alias) ?? NONE).filter((each) => each !== ask)
      if (rest.length > 0) others.set(ask.alias, rest)
      else others.delete(ask.alias)
      if (calledOnMachine(ask.alias).length === 0) onAlias(ask.alias)
    },
    get version() {
      return version
    },
  }
}
