/** `kubectl get`'s view: a row an object, a column for each of the kind's (spec: Kubernetes API, §4.3). */
import { age } from '../../crds/age.ts'
import type { ApiObject, Column, Kind } from '../../crds/kind.ts'
import type { Format } from './change.ts'
import { type Entry, objectOf } from './entry.ts'
import { jsonPath } from './json-path.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'
type Cell = string | number | boolean | null

const NAME: Column = { name: 'Name', type: 'string', jsonPath: '.metadata.name', description: 'Name of the object.' }

export interface TableWriter {
  /** Tells the columns of one definition of a kind from those of the next. */
  readonly id: number
  readonly columnDefinitions: readonly Record<string, unknown>[]
  row(entry: Entry, include: IncludeObject, now: Date): string
}

const writers = new WeakMap<Kind, TableWriter>()
let nextId = 0

/** Compiled once a kind. */
export function tableWriter(kind: Kind): TableWriter {
  let writer = writers.get(kind)
  if (writer === undefined) {
    writer = makeWriter(kind)
    writers.set(kind, writer)
  }
  return writer
}

function makeWriter(kind: Kind): TableWriter {
  const columns = kind.columns.some((column) => column.name === 'Name') ? kind.columns : [NAME, ...kind.columns]
  const cells = columns.map(cellOf)
  return {
    id: nextId++,
    columnDefinitions: columns.map(definition),
    row: (entry, include, now) => {
      const object = objectOf(entry)
      const values = JSON.stringify(cells.map((cell) => cell(object, now)))
      return `{"cells":${values},"object":${shownObject(entry, object, include)}}`
    },
  }
}

function definition({ name, type, description, priority = 0 }: Column): Record<string, unknown> {
  return { name, type, format: name === 'Name' ? 'name' : '', description, priority }
}

function cellOf(column: Column): (object: ApiObject, now: Date) => Cell {
  if (column.cell) return column.cell
  const read = jsonPath(column.jsonPath)
  return (object, now) => plain(column, read(object), now)
}

function plain({ type }: Column, value: unknown, now: Date): Cell {
  if (value === undefined || value === null) return null
  if (type === 'date') return typeof value === 'string' ? age(value, now) : null
  return typeof value === 'object' ? JSON.stringify(value) : (value as Cell)
}

function shownObject(entry: Entry, object: ApiObject, include: IncludeObject): string {
  if (include === 'Object') return entry.bytes.toString()
  if (include === 'None') return 'null'
  return JSON.stringify(partialMetadata(object))
}

export const PARTIAL_KIND = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' } as const

export function partialMetadata({ metadata }: ApiObject): Record<string, unknown> {
  return { ...PARTIAL_KIND, metadata }
}

/** Beginning of a Table; rows follow, then `]}`. */
export function tableHead(kind: Kind, metadata: Record<string, unknown>): string {
  const { columnDefinitions } = tableWriter(kind)
  return `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${JSON.stringify(metadata)},"columnDefinitions":${JSON.stringify(columnDefinitions)},"rows":[`
}

/** One object as a Table of one row: single gets and watch events. */
export function tableFormat(kind: Kind, include: IncludeObject): Format {
  return {
    name: `table ${include} ${tableWriter(kind).id}`,
    render: (entry) =>
      Buffer.from(
        `${tableHead(kind, { resourceVersion: String(entry.version) })}${tableWriter(kind).row(entry, include, new Date())}]}`,
      ),
  }
}

/** Metadata alone, for clients that ask `as=PartialObjectMetadata`. */
export const PARTIAL_FORMAT: Format = {
  name: 'partial',
  render: (entry) => Buffer.from(JSON.stringify(partialMetadata(JSON.parse(entry.bytes.toString()) as ApiObject))),
}
