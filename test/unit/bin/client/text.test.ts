import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inOrder } from '../../../../bin/client/in-order.ts'
import { LAST_APPLIED, lastApplied, withLastApplied } from '../../../../bin/client/last-applied.ts'
import { splitLines } from '../../../../bin/client/lines.ts'
import { paintFor, printable } from '../../../../bin/client/paint.ts'
import { tablePrinter } from '../../../../bin/client/table.ts'

const test = suite('text of the command')
const ESC = String.fromCharCode(27)

test('columns stand under each other, those for wide tables apart', () => {
  const columns = [{ name: 'Name' }, { name: 'Active' }, { name: 'Hash', priority: 1 }]
  const rows = [{ cells: ['web.service', 'active', 'abc'] }, { cells: ['a', null, 'def'] }]
  assert.is(tablePrinter(columns).print(rows), 'NAME          ACTIVE\nweb.service   active\na\n')
  assert.match(
    tablePrinter(columns, { wide: true }).print(rows),
    /^NAME {10}ACTIVE {3}HASH\nweb\.service {3}active {3}abc\n/,
  )
})

test('rows that come later have no second header, and stand under the first', () => {
  const printer = tablePrinter([{ name: 'Name' }, { name: 'Sub' }])
  printer.print([{ cells: ['long-name', 'x'] }])
  assert.is(printer.print([{ cells: ['a', 'y'] }]), 'a           y\n')
})

test('colours are for terminals, and not where NO_COLOR or TERM=dumb say otherwise', () => {
  const terminal = { isTTY: true } as NodeJS.WriteStream
  assert.is(paintFor(terminal, {})('good', 'x'), `${ESC}[32mx${ESC}[0m`)
  assert.is(paintFor(terminal, { NO_COLOR: '1' })('good', 'x'), 'x')
  assert.is(paintFor(terminal, { TERM: 'dumb' })('good', 'x'), 'x')
  assert.is(paintFor({} as NodeJS.WriteStream, {})('good', 'x'), 'x')
})

test('what others wrote cannot drive the terminal', () => {
  assert.is(printable(`a${ESC}[31mred${ESC}[0m${ESC}]0;title\u0007\tb`), 'ared?]0;title?\tb')
})

test('the memory of apply is what kubectl writes', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'K',
    metadata: { name: 'n' },
    spec: { '10': 1, '2': '<&>', b: null, a: [1.5, 'ü'] },
  }
  const annotated = withLastApplied(object)
  assert.is(
    annotated.metadata.annotations?.[LAST_APPLIED],
    '{"apiVersion":"v1","kind":"K","metadata":{"annotations":{},"name":"n"},"spec":{"10":1,"2":"\\u003c\\u0026\\u003e","a":[1.5,"ü"],"b":null}}\n',
  )
  assert.equal(withLastApplied(annotated), annotated)
  assert.equal((lastApplied(annotated) as typeof object).spec, object.spec)
})

test('a memory that was damaged is none', () => {
  const object = { apiVersion: 'v1', kind: 'K', metadata: { name: 'n', annotations: { [LAST_APPLIED]: '{' } } }
  assert.is(lastApplied(object), undefined)
})

test('lines are cut where they end, whatever the pieces, and a cut-off last line is none', async () => {
  const pieces = ['on', 'e\ntw', 'o\n', '\nhal'].map((text) => Buffer.from(text))
  const lines: string[] = []
  for await (const line of splitLines(from(pieces), 100)) lines.push(line)
  assert.equal(lines, ['one', 'two', ''])
})

test('a line without end is refused before it fills the memory', async () => {
  try {
    for await (const _ of splitLines(from(Array.from({ length: 10 }, () => Buffer.alloc(60))), 100));
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /a line of more than 100 bytes/)
  }
})

async function* from(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces
}

test('results are told in order, and no more is begun than may wait', async () => {
  const told: number[] = []
  let running = 0
  let most = 0
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++running)
    for (let turns = 0; turns < 10 - item; turns++) await Promise.resolve()
    running--
    return item
  }
  await inOrder([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, work, async (item) => void told.push(item))
  assert.equal(told, [1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.is(most, 3)
})

test.run()
