/** `get -w`: the rows that are there, then a line for each change, across restarts of the server. */
import { fieldEquals } from '../../crds/field-selector.ts'
import type { ApiObject, Metadata } from '../../crds/kind.ts'
import { isObjectFormat, type ObjectFormat, renderName, renderObject } from './object-output.ts'
import { listObjects, listTable, readObject, type Selection, TABLE_ACCEPT, tableOf } from './reading.ts'
import type { ResourceType } from './resources.ts'
import type { Session } from './session.ts'
import { type Row, tablePrinter } from './table.ts'
import type { Target } from './targets.ts'
import { type ChangeType, followChanges } from './watching.ts'

export interface WatchTargetOptions {
  readonly output?: string
  readonly outputWatchEvents?: boolean
  readonly headers?: boolean
}

/** One object as it is to be shown: a row, or the whole. */
interface Item {
  readonly metadata: Metadata
  readonly row?: Row
  readonly object?: ApiObject
}
interface Listing {
  readonly items: readonly Item[]
  readonly version: string
}
/** How a listing is read and an item shown. */
interface Form {
  readonly accept: string
  list(): Promise<Listing>
  itemOf(object: unknown): Item | undefined
  show(items: readonly Item[], change: ChangeType): string
}

/** Ends with 0 on Ctrl-C. Rejects where the first look fails or the server refuses for good. */
export async function watchTarget(
  session: Session,
  { type, name }: Target,
  selection: Selection,
  options: WatchTargetOptions,
): Promise<number> {
  const { api, out, signal } = session
  // A name that is not there is refused at once, not waited for.
  if (name !== undefined) await readObject(api, type, name, selection)
  const selected = name === undefined ? selection : { ...selection, fieldSelector: fieldEquals('metadata.name', name) }
  const form = formOf(session, type, selected, options)
  const { known, catchUp } = createMemory(form, (text) => out.write(text))
  const resourceVersion = await catchUp()
  const { signal: _, ...where } = selected
  const onConnection = (isUp: boolean): void => out.note(isUp ? 'connected again' : AWAY)
  const follow = { ...where, accept: form.accept, resourceVersion, signal, relist: catchUp, onConnection }
  for await (const { type: change, object } of followChanges(api, type, follow)) {
    const item = form.itemOf(object)
    if (item === undefined || isKnown(known, item, change)) continue
    if (change === 'DELETED') known.delete(keyOf(item))
    else known.set(keyOf(item), item)
    await out.write(form.show([item], change))
  }
  return 0
}

const AWAY = 'the server is away: waiting for it'

function keyOf({ metadata }: Item): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function isKnown(known: ReadonlyMap<string, Item>, item: Item, change: ChangeType): boolean {
  return change !== 'DELETED' && known.get(keyOf(item))?.metadata.resourceVersion === item.metadata.resourceVersion
}

/** What has been shown of each object; `catchUp` reads all anew, shows the differences, and returns the version. */
function createMemory(form: Form, write: (text: string) => Promise<void>) {
  const known = new Map<string, Item>()
  const catchUp = async (): Promise<string> => {
    const { items, version } = await form.list()
    const now = new Map(items.map((item) => [keyOf(item), item]))
    const gone = [...known].flatMap(([key, item]) => (now.has(key) ? [] : [item]))
    const added = items.filter((item) => !known.has(keyOf(item)))
    const modified = items.filter((item) => known.has(keyOf(item)) && !isKnown(known, item, 'MODIFIED'))
    known.clear()
    for (const [key, item] of now) known.set(key, item)
    await write(form.show(added, 'ADDED') + form.show(modified, 'MODIFIED') + form.show(gone, 'DELETED'))
    return version
  }
  return { known, catchUp }
}

function formOf(session: Session, type: ResourceType, selection: Selection, options: WatchTargetOptions): Form {
  return isObjectFormat(options.output)
    ? objectForm(session, type, selection, options.output)
    : tableForm(session, type, selection, options)
}

function objectForm({ api }: Session, type: ResourceType, selection: Selection, format: ObjectFormat): Form {
  const itemOf = (object: unknown): Item => ({ metadata: (object as ApiObject).metadata, object: object as ApiObject })
  const showOne = ({ object }: Item): string => {
    if (!object) return ''
    if (format === 'name') return renderName(type, object)
    return `${format === 'yaml' ? '---\n' : ''}${renderObject(object, format)}`
  }
  return {
    accept: 'application/json',
    list: async () => {
      const { items, resourceVersion } = await listObjects(api, type, selection)
      return { items: items.map(itemOf), version: resourceVersion }
    },
    itemOf,
    show: (items) => items.map(showOne).join(''),
  }
}

function tableForm(
  { api, out }: Session,
  type: ResourceType,
  selection: Selection,
  { output, outputWatchEvents, headers }: WatchTargetOptions,
): Form {
  const leading = outputWatchEvents ? ['EVENT'] : []
  const options = {
    wide: output === 'wide',
    noHeaders: headers === false,
    withNamespace: type.namespaced && selection.namespace === undefined,
    paint: out.paint,
  }
  let printer: ReturnType<typeof tablePrinter> | undefined
  return {
    accept: TABLE_ACCEPT,
    list: async () => {
      const table = await listTable(api, type, selection)
      printer ??= tablePrinter(table.columnDefinitions, options, leading)
      return { items: table.rows.flatMap(itemOfRow), version: table.resourceVersion }
    },
    itemOf: (object) => tableOf(object).rows.flatMap(itemOfRow)[0],
    show: (items, change) => {
      const rows = items.flatMap(({ row }) => (row ? [row] : []))
      return rows.length > 0 ? (printer?.print(rows, outputWatchEvents ? [change.padEnd(8)] : []) ?? '') : ''
    },
  }
}

function itemOfRow(row: Row): Item[] {
  const metadata = row.object?.metadata as Metadata | undefined
  return metadata ? [{ metadata, row }] : []
}
