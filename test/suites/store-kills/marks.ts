/** What each writer writes: one transaction puts the same mark under several keys and moves its pointer to another key. */
import type { KeyValue, Operation, Range } from '../../../api-server/store/store.ts'

export const WRITERS = 64
/** Keys that one transaction puts together. */
export const MARKS = 3

const nameOf = (writer: number) => String(writer).padStart(2, '0')

export function markKeys(writer: number): string[] {
  return Array.from({ length: MARKS }, (_, part) => `/marks/${nameOf(writer)}/${part}`)
}

export const markRange = (writer: number): Range => ({
  start: `/marks/${nameOf(writer)}/`,
  end: `/marks/${nameOf(writer)}0`,
})

/** As an index moves: the old entry goes with the transaction that makes the new one. */
const pointerKey = (writer: number, n: number) => `/marks/${nameOf(writer)}/at-${n % 2}`

export const isPointer = ({ key }: KeyValue) => key.includes('/at-')

export function operationsOf(writer: number, round: string, n: number): Operation[] {
  const value = Buffer.from(`${round}.${n}`.padEnd(500, '.'))
  return [
    ...markKeys(writer).map((key): Operation => ({ do: 'put', key, value })),
    { do: 'put', key: pointerKey(writer, n), value },
    { do: 'delete', key: pointerKey(writer, n + 1) },
  ]
}

export function markOf({ value }: KeyValue): string {
  return Buffer.from(value).toString().replace(/\.+$/, '')
}

/** Later marks of a writer are greater. */
export function orderOf(mark: string): number {
  const [round = 0, n = 0] = mark.split('.').map(Number)
  return round * 1e9 + n
}
