/** Random requests from a seed: the same seed, the same requests, given the same answers. */

import type { Random } from '../random.ts'

const NAMES = ['a', 'b', 'ab', 'c', '_h', 'd', 'a%20b', '%C3%A9', '..x']
const VALUES = ['', '1', '2', 'x', 'a+b', '%3C%26%3E', '%C3%A9', '%FF', '%22%0A']
const BOOLEANS = ['true', 'false', '1', '0', 'T', 'F', 'maybe', '']
const METHODS = ['PUT', 'PUT', 'PUT', 'PUT', 'GET', 'GET', 'GET', 'DELETE', 'DELETE', 'POST', 'HEAD']

export interface RandomRequest {
  readonly method: string
  readonly path: string
  /** Name and value, escaped already. */
  readonly parameters: readonly (readonly [string, string])[]
}

export function randomKey(dice: Random): string {
  if (dice.chance(0.02)) return dice.pick(['', '/'])
  const depth = 1 + dice.below(3)
  const names = Array.from({ length: depth }, () => dice.pick(dice.chance(0.7) ? NAMES.slice(0, 5) : NAMES))
  return `/${names.join('/')}${dice.chance(0.05) ? '/' : ''}`
}

/** `indices`: some that nodes had lately, so that conditions on them sometimes hold. */
export function randomRequest(dice: Random, indices: readonly number[]): RandomRequest {
  const method = dice.pick(METHODS)
  const parameters: [string, string][] = []
  const add = (probability: number, name: string, value: () => string) => {
    if (dice.chance(probability)) parameters.push([name, value()])
  }
  const boolean = () => (dice.chance(0.95) ? 'true' : dice.pick(BOOLEANS))
  const either = () => (dice.chance(0.95) ? dice.pick(['true', 'false']) : dice.pick(BOOLEANS))
  const index = () => (dice.chance(0.95) ? String(dice.pick(indices)) : dice.pick(['x', '0', '-1']))
  const isWrite = method === 'PUT' || method === 'POST'
  add(isWrite ? 0.8 : 0.02, 'value', () => dice.pick(VALUES))
  add(isWrite ? 0.15 : 0.02, 'ttl', () => dice.pick(['100', '200', '', '300', 'no', '400']))
  add(isWrite ? 0.15 : 0.4, 'dir', boolean)
  add(method === 'PUT' ? 0.3 : 0.02, 'prevExist', either)
  add(method === 'PUT' || method === 'DELETE' ? 0.15 : 0.02, 'prevValue', () => dice.pick(VALUES))
  add(method === 'PUT' || method === 'DELETE' ? 0.15 : 0.02, 'prevIndex', index)
  add(isWrite ? 0.06 : 0.01, 'refresh', boolean)
  add(0.05, 'noValueOnSuccess', boolean)
  add(isWrite ? 0.02 : 0.4, 'recursive', boolean)
  add(isWrite ? 0.02 : 0.4, 'sorted', boolean)
  add(isWrite ? 0.02 : 0.15, 'quorum', either)
  return { method, path: `/v2/keys${randomKey(dice)}`, parameters }
}
