/** Makes the kinds of definitions, once for each thing that can be seen of them: the same definition gives the same kind. */
import type { Logger } from 'pino'
import type { Kind } from '../../crds/kind.ts'
import { type Definition, isDeleting } from './definition.ts'
import type { Observed } from './index.ts'
import { toKinds } from './to-kinds.ts'

interface Made {
  readonly from: string
  readonly kinds: readonly Kind[]
}

export class KindMaker {
  readonly #log: Logger
  #made: ReadonlyMap<string, Made> = new Map()

  constructor(log: Logger) {
    this.#log = log
  }

  kindsOf(observed: readonly Observed[]): Kind[] {
    const established = observed.filter(({ verdict }) => verdict.isEstablished)
    this.#made = new Map(established.map((one) => [one.definition.metadata.name, this.#kindsOf(one)]))
    return [...this.#made.values()].flatMap(({ kinds }) => kinds)
  }

  /** Whether objects of this definition can be there at all. */
  isServed({ metadata }: Definition): boolean {
    return this.#made.has(metadata.name)
  }

  #kindsOf({ definition, verdict }: Observed): Made {
    const { uid, generation, name } = definition.metadata
    const from = JSON.stringify([uid, generation, isDeleting(definition), verdict.accepted])
    const known = this.#made.get(name)
    if (known?.from === from) return known
    try {
      return { from, kinds: toKinds(definition, verdict.accepted) }
    } catch (error) {
      this.#log.error({ err: error, definition: name }, 'a stored definition cannot be served')
      return { from, kinds: [] }
    }
  }
}
