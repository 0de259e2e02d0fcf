/** Names of instances (D1): stable, so that one that is made anew is the same one, whoever makes it and after whatever. */
import { isTemplate } from '../../crds/unit-name.ts'

/** `web@3.service` from `web@.service`; else the key comes before the type: `web.3.service`, `web.m1.service`. */
export function instanceName(name: string, key: string): string {
  const dot = name.lastIndexOf('.')
  return `${name.slice(0, dot)}${isTemplate(name) ? '' : '.'}${key}${name.slice(dot)}`
}

/** Numbers by their value, what is not a number by its letters. */
export function byKey(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)]
  if (Number.isInteger(x) && Number.isInteger(y) && x !== y) return x - y
  return a < b ? -1 : a > b ? 1 : 0
}
