/** A configuration laid over an object: maps by key, lists by element, what is owned as a whole replaced. */
import { define } from '../patch/merge.ts'
import { type DividedList, elementsOf, elementType } from './list-elements.ts'
import { type FieldType, isMap, LEAF, type MapType, shapeOf } from './schema.ts'

/** Neither argument is changed; the result shares with both. `config` must have no duplicates in keyed lists. */
export function merge(type: FieldType, live: unknown, config: unknown): unknown {
  if (config === undefined || live === undefined) return config ?? live
  const shape = shapeOf(type, config ?? live)
  if (shape.is === 'map' && (live === null || isMap(live))) return mergeMaps(shape, live ?? {}, config)
  if ((shape.is === 'list' || shape.is === 'set') && (live === null || Array.isArray(live)))
    return mergeLists(shape, live ?? [], config)
  return config
}

function mergeMaps(type: MapType, live: Readonly<Record<string, unknown>>, config: unknown): unknown {
  // Saying nothing about a map that others have filled takes nothing out of it.
  if (!isMap(config)) return Object.keys(live).length === 0 ? config : live
  const result: Record<string, unknown> = { ...live }
  for (const [key, value] of Object.entries(config)) {
    const before = Object.hasOwn(live, key) ? live[key] : undefined
    define(result, key, merge(type.fields.get(key)?.type ?? type.elements ?? LEAF, before, value))
  }
  return result
}

function mergeLists(type: DividedList, live: readonly unknown[], config: unknown): unknown {
  if (!Array.isArray(config)) return live.length === 0 ? config : live
  const { byElement: mine, strays } = elementsOf(type, live)
  const theirs = elementsOf(type, config).byElement
  const merged = mergedOrder([...mine.keys()], [...theirs.keys()]).flatMap((element) => {
    const [before = [], after = []] = [mine.get(element), theirs.get(element)]
    if (after.length === 0) return before
    return [before.length > 1 ? after[0] : merge(elementType(type), before[0], after[0])]
  })
  return [...merged, ...strays]
}

/**
 * The order of a merged list: that of the configuration for what it names, and what only the object has stays behind
 * the neighbours it had.
 */
export function mergedOrder(live: readonly string[], config: readonly string[]): string[] {
  const [inLive, inConfig] = [new Set(live), new Set(config)]
  const shared = config.filter((element) => inLive.has(element))
  const order: string[] = []
  let [l, c, s] = [0, 0, 0]
  while (l < live.length || c < config.length) {
    const [mine, theirs] = [live[l], config[c]]
    if (mine !== undefined && mine === theirs) {
      order.push(mine)
      l++
      c++
      s++
    } else if (
      mine !== undefined &&
      theirs !== undefined &&
      inConfig.has(mine) &&
      s < shared.length &&
      shared[s] !== mine
    )
      l++ // comes later, where the configuration has it
    else if (mine !== undefined && !inConfig.has(mine)) {
      order.push(mine)
      l++
    } else if (theirs !== undefined) {
      order.push(theirs)
      if (shared[s] === theirs) s++
      c++
    } else l++
  }
  return order
}
