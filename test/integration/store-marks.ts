export const WRITERS = 32
/** Keys that one transaction writes together. */
export const MARKS = 3

export function markKeys(writer: number): string[] {
  return Array.from({ length: MARKS }, (_, part) => `/marks/${String(writer).padStart(2, '0')}/${part}`)
}
