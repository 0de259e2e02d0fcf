/** `flotilla get`: what is there, as tables, names or whole objects; `-w` goes on with what changes. */
import type { ApiObject } from '../../crds/kind.ts'
import { describeFailure } from './failure.ts'
import { isObjectFormat, renderName, renderObjects } from './object-output.ts'
import { listObjects, listTable, readObject, readTable, type Selection } from './reading.ts'
import { discover, qualifiedName, type ResourceType } from './resources.ts'
import type { Session } from './session.ts'
import { type Row, type Table, tablePrinter } from './table.ts'
import { parseTargets, type Target } from './targets.ts'
import { watchTarget } from './watch-target.ts'

export interface GetOptions {
  readonly output?: string
  readonly selector?: string
  readonly fieldSelector?: string
  readonly allNamespaces?: boolean
  readonly namespace?: string
  readonly watch?: boolean
  readonly outputWatchEvents?: boolean
  readonly headers?: boolean
}

export async function get(session: Session, words: readonly string[], options: GetOptions): Promise<number> {
  const { api, signal } = session
  checkOutput(options.output)
  const targets = parseTargets(await discover(api, { signal }), words)
  const selection = selectionOf(session, targets, options)
  if (options.watch) return await watchTarget(session, onlyOne(targets), selection, options)
  if (options.output === 'yaml' || options.output === 'json')
    return await printObjects(session, targets, selection, options.output)
  return await printRows(session, targets, selection, options)
}

function checkOutput(output: string | undefined): void {
  if (output === undefined || output === 'wide' || isObjectFormat(output)) return
  throw new Error(`-o ${output} is unknown; there are wide, yaml, json and name`)
}

function selectionOf({ api, signal }: Session, targets: readonly Target[], options: GetOptions): Selection {
  const { selector, fieldSelector, allNamespaces, namespace } = options
  const named = targets.find(({ name }) => name !== undefined)
  if (named && (selector || fieldSelector)) throw new Error('give names or a selector, not both')
  if (named?.type.namespaced && allNamespaces)
    throw new Error('a name is in one namespace: leave out -A, or leave out the name')
  const where = allNamespaces ? undefined : (namespace ?? api.namespace)
  return { labelSelector: selector, fieldSelector, namespace: where, signal }
}

function onlyOne(targets: readonly Target[]): Target {
  const [target, ...others] = targets
  if (target === undefined || others.length > 0) throw new Error('one kind or one object can be watched at a time')
  return target
}

/** Several reads of which some may fail: the failures are told, the rest is used. */
async function settle<T>({ out, signal }: Session, reads: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(reads)
  signal.throwIfAborted()
  for (const result of results) if (result.status === 'rejected') out.note(describeFailure(result.reason))
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

async function printObjects(
  session: Session,
  targets: readonly Target[],
  selection: Selection,
  format: 'yaml' | 'json',
): Promise<number> {
  const reads = targets.map(async ({ type, name }): Promise<readonly ApiObject[]> => {
    if (name !== undefined) return [await readObject(session.api, type, name, selection)]
    return (await listObjects(session.api, type, selection)).items
  })
  const found = await settle(session, reads)
  const isList = targets.length > 1 || targets[0]?.name === undefined
  const objects = found.flat()
  if (objects.length > 0 || found.length === targets.length)
    await session.out.write(renderObjects(objects, format, isList))
  return found.length === targets.length ? 0 : 1
}

interface Found {
  readonly type: ResourceType
  readonly table: Table
}

async function printRows(
  session: Session,
  targets: readonly Target[],
  selection: Selection,
  options: GetOptions,
): Promise<number> {
  const { api, out } = session
  const reads = targets.map(async ({ type, name }): Promise<Found> => {
    const table = await (name === undefined ? listTable(api, type, selection) : readTable(api, type, name, selection))
    return { type, table }
  })
  const found = await settle(session, reads)
  const groups = byType(found).filter(({ table }) => table.rows.length > 0)
  if (options.output === 'name') await out.write(groups.flatMap(namesOf).join(''))
  else await out.write(groups.map((group) => renderGroup(session, group, groups.length, selection, options)).join('\n'))
  if (groups.length === 0 && found.length > 0) out.note(nothingFound(targets, selection))
  return found.length === targets.length ? 0 : 1
}

/** Rows of one type under one header, however they were asked for. */
function byType(found: readonly Found[]): Found[] {
  const groups = new Map<ResourceType, Found>()
  for (const { type, table } of found) {
    const before = groups.get(type)?.table
    groups.set(type, { type, table: before ? { ...before, rows: [...before.rows, ...table.rows] } : table })
  }
  return [...groups.values()]
}

function namesOf({ type, table }: Found): string[] {
  return table.rows.map((row) => renderName(type, { metadata: { name: nameOf(row) } } as ApiObject))
}

function nameOf({ object, cells }: Row): string {
  return String(object?.metadata?.name ?? cells[0])
}

function renderGroup(
  { out }: Session,
  { type, table }: Found,
  groups: number,
  { namespace }: Selection,
  options: GetOptions,
): string {
  return tablePrinter(table.columnDefinitions, {
    wide: options.output === 'wide',
    noHeaders: options.headers === false,
    withNamespace: type.namespaced && namespace === undefined,
    namePrefix: groups > 1 ? qualifiedName(type, '') : '',
    paint: out.paint,
  }).print(table.rows)
}

function nothingFound(targets: readonly Target[], { namespace }: Selection): string {
  const isNamespaced = targets.every(({ type }) => type.namespaced)
  return isNamespaced && namespace !== undefined
    ? `No resources found in ${namespace} namespace.`
    : 'No resources found'
}
