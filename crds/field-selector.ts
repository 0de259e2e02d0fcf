/** One term of a field selector. Values may hold what separates terms (unit names have backslashes), so it is escaped. */
export function fieldEquals(path: string, value: string): string {
  return `${path}=${value.replace(/[\\,=]/g, '\\$&')}`
}
