import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileTexts } from '../../../../bin/client/cat.ts'
import { createConfluence, mergeByTime, newestLines } from '../../../../bin/client/journal-merge.ts'
import type { JournalLine } from '../../../../bin/client/journal-source.ts'
import { lineRenderer } from '../../../../bin/client/journal-text.ts'
import { lineBatches } from '../../../../bin/client/lines.ts'
import { entryJson, parseEntry } from '../../../../node-agent/units/journal-entry.ts'
import { unit } from '../../../support/objects.ts'

const test = suite('journals as one')

function line(machine: string, timestampUs: number, message = `${machine} ${timestampUs}`): JournalLine {
  return { machine, unit: `web.${machine}.service`, timestampUs, message, cursor: '', identifier: 'sh', priority: 6 }
}

async function* log(...batches: readonly (readonly JournalLine[])[]): AsyncGenerator<readonly JournalLine[]> {
  yield* batches
}

async function messages(batches: AsyncIterable<readonly JournalLine[]>): Promise<string[]> {
  const found: string[] = []
  for await (const batch of batches) found.push(...batch.map(({ message }) => message))
  return found
}

test('logs are merged by time, whatever batches they come in', async () => {
  const one = log([line('a', 1), line('a', 4)], [], [line('a', 5)])
  const other = log([line('b', 2)], [line('b', 3), line('b', 6)])
  assert.equal(await messages(mergeByTime([one, log(), other])), ['a 1', 'b 2', 'b 3', 'a 4', 'a 5', 'b 6'])
})

test('a machine whose clock was set back says things in the order in which it said them', async () => {
  const odd = log([line('a', 9, 'first'), line('a', 1, 'second')])
  assert.equal(await messages(mergeByTime([odd, log([line('b', 5, 'other')])])), ['other', 'first', 'second'])
})

test('of many logs only the newest lines are held', () => {
  const newest = newestLines(3)
  newest.add([line('a', 1), line('a', 5)])
  newest.add([line('b', 2), line('b', 4)])
  assert.equal(
    newest.lines().map(({ message }) => message),
    ['b 2', 'b 4', 'a 5'],
  )
})

test('what comes together is put in order, and nobody reads on before it is taken', async () => {
  const confluence = createConfluence()
  const stop = new AbortController()
  let isTaken = false
  void confluence.put([line('a', 2)]).then(() => {
    isTaken = true
  })
  void confluence.put([line('b', 1)])
  for await (const batch of confluence.take(stop.signal)) {
    assert.equal(
      batch.map(({ message }) => message),
      ['b 1', 'a 2'],
    )
    assert.not(isTaken)
    stop.abort()
  }
})

test('lines of a stream come in batches; one that is too long is left out and told', async () => {
  const pieces = ['one\ntw', 'o\n', 'x'.repeat(60), 'x\nthree\nfo', 'ur\n', 'cut off'].map((text) => Buffer.from(text))
  const told: string[] = []
  const found: string[] = []
  async function* source() {
    yield* pieces
  }
  for await (const batch of lineBatches(source(), 50, () => told.push('too long'))) found.push(...batch)
  assert.equal(found, ['one', 'two', 'three', 'four'])
  assert.equal(told, ['too long'])
})

test('an entry is the same after its way, and what is none is nothing', () => {
  const entry = { cursor: 'c', timestampUs: 12, message: 'text "ü"', identifier: 'sh', pid: 7, priority: 6 }
  assert.equal(parseEntry(entryJson(entry)), entry)
  assert.is(parseEntry(''), undefined)
  assert.is(parseEntry('{"MESSAGE":"cut o'), undefined)
  assert.is(parseEntry('{"MESSAGE":[104,105]}')?.message, 'hi')
})

test('several units are told apart by machine and name, each in its colour', () => {
  const plain = lineRenderer({ output: 'short', isTerminal: false, isColoured: false, isMixed: true })
  assert.match(plain(line('m1', 0, 'hello')), / m1 web\.m1\.service sh: hello\n$/)
  const coloured = lineRenderer({ output: 'short', isTerminal: true, isColoured: true, isMixed: true })
  assert.is.not(coloured(line('m1', 0, 'x')), coloured(line('m2', 0, 'x')))
  assert.throws(
    () => lineRenderer({ output: 'xml', isTerminal: false, isColoured: false, isMixed: false }),
    /short, json and cat/,
  )
})

test('cat names the file and its drop-ins, in the order in which they count', () => {
  const dropIns = [
    { name: '20-b.conf', content: '[Service]\nNice=2' },
    { name: '10-a.conf', content: '[Service]\nNice=1\n' },
  ]
  assert.equal(fileTexts(unit('a.service', { spec: { content: '[Service]', dropIns, unitName: 'b.service' } })), [
    '# b.service (unit/a.service)\n[Service]\n',
    '# b.service.d/10-a.conf\n[Service]\nNice=1\n',
    '# b.service.d/20-b.conf\n[Service]\nNice=2\n',
  ])
})

test.run()
