import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodingOf } from '../../../../api-server/registry/encode.ts'
import { type Entry, entryMaker } from '../../../../api-server/registry/entry.ts'
import { PARTIAL_FORMAT, tableFormat, tableHead, tableWriter } from '../../../../api-server/registry/table.ts'
import { Event } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { UNIT, unitObject } from './with-registry.ts'

const test = suite('tables')

const NOW = new Date('2026-01-02T00:00:00Z')

const entryOf = (kind: Kind, object: ApiObject): Entry =>
  entryMaker(kind)('-/x', encodingOf(kind).render(encodingOf(kind).encode(object), 7n), 7n)

const unit = entryOf(UNIT, {
  ...unitObject(
    'web.service',
    { creationTimestamp: '2026-01-01T23:54:09Z', labels: { a: 'b' } },
    { desiredState: 'launched', machineName: 'm1' },
  ),
  status: {
    systemd: { activeState: 'active', subState: 'running', restarts: 0 },
    conditions: [{ type: 'Scheduled', reason: 'Placed' }],
  },
})

test('a row has a cell for each column, in order, absent ones null', () => {
  const { columnDefinitions, row } = tableWriter(UNIT)
  const { cells } = JSON.parse(row(unit, 'None', NOW))
  assert.is(columnDefinitions[0]?.name, 'Name')
  assert.is(columnDefinitions[0]?.format, 'name')
  const byName = Object.fromEntries(columnDefinitions.map(({ name }, index) => [name, cells[index]]))
  assert.equal(byName, {
    Name: 'web.service',
    Desired: 'launched',
    Machine: 'm1',
    Active: 'active',
    Sub: 'running',
    Restarts: 0,
    Scheduled: 'Placed',
    PID: null,
    Hash: null,
    Age: '5m51s',
  })
})

test('a row carries no object, its metadata or all of it, as asked', () => {
  const { row } = tableWriter(UNIT)
  const object = (include: 'None' | 'Metadata' | 'Object') => JSON.parse(row(unit, include, NOW)).object
  assert.is(object('None'), null)
  const { metadata, ...head } = object('Metadata')
  assert.equal(head, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' })
  assert.equal([metadata.name, metadata.resourceVersion, metadata.labels], ['web.service', '7', { a: 'b' }])
  assert.equal(object('Object'), JSON.parse(unit.bytes.toString()))
})

test('one object is a Table of one row under its own version', () => {
  const table = JSON.parse(tableFormat(UNIT, 'Metadata').render(unit).toString())
  assert.equal(
    [table.kind, table.apiVersion, table.metadata.resourceVersion, table.rows.length],
    ['Table', 'meta.k8s.io/v1', '7', 1],
  )
  assert.equal(table.columnDefinitions.find((column: { name: string }) => column.name === 'Hash').priority, 1)
})

test('a head and rows make a Table', () => {
  const table = JSON.parse(`${tableHead(UNIT, { resourceVersion: '9' })}${tableWriter(UNIT).row(unit, 'None', NOW)}]}`)
  assert.equal([table.metadata.resourceVersion, table.rows.length], ['9', 1])
})

test('events show what kubectl’s own columns show', () => {
  const event = entryOf(Event as Kind, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e1' },
    involvedObject: { kind: 'Unit', name: 'web.service' },
    reason: 'Started',
    type: 'Normal',
    message: 'it runs',
    lastTimestamp: '2026-01-01T23:59:17Z',
  })
  const { columnDefinitions, row } = tableWriter(Event as Kind)
  const { cells } = JSON.parse(row(event, 'None', NOW))
  const wide = columnDefinitions.map(({ priority }) => priority)
  assert.equal(cells.filter((_: unknown, index: number) => wide[index] === 0).slice(-5), [
    '43s',
    'Normal',
    'Started',
    'unit/web.service',
    'it runs',
  ])
})

test('metadata alone is a PartialObjectMetadata', () => {
  const partial = JSON.parse(PARTIAL_FORMAT.render(unit).toString())
  assert.equal([partial.kind, partial.spec, partial.metadata.name], ['PartialObjectMetadata', undefined, 'web.service'])
})

test.run()
