import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fallenTokens, guardedResource, overlaps, type Run } from '../../suites/exclusive/runs.ts'

const test = suite('judging the runs of an exclusive unit')
const run = (machine: string, token: number, fromS: number, toS: number): Run => ({
  ...{ machine, token, fromS, toS },
  invocation: `${machine}-${fromS}`,
})

test('runs one after another do not overlap', () => {
  assert.equal(overlaps([run('m2', 2, 2, 3), run('m1', 1, 0, 1.9)]), [])
})

test('an overlap is found, also with a run that outlasts the one between', () => {
  assert.is(overlaps([run('m1', 1, 0, 2), run('m2', 2, 1.9, 3)]).length, 1)
  assert.is(overlaps([run('m1', 1, 0, 9), run('m1', 1, 1, 2), run('m2', 2, 3, 4)]).length, 2)
})

test('a later holder has a greater token; the same holder may keep its own', () => {
  assert.equal(fallenTokens([run('m1', 1, 0, 1), run('m1', 1, 2, 3), run('m2', 2, 4, 5)]), [])
  assert.is(fallenTokens([run('m1', 3, 0, 1), run('m2', 3, 2, 3)]).length, 1)
  assert.is(fallenTokens([run('m1', 3, 0, 1), run('m2', 2, 2, 3)]).length, 1)
})

test('a resource refuses what comes late from an earlier holder', () => {
  const writes = [
    { machine: 'm1', token: 1, atS: 0 },
    { machine: 'm2', token: 2, atS: 1 },
    { machine: 'm1', token: 1, atS: 2 },
    { machine: 'm2', token: 2, atS: 3 },
  ]
  assert.equal(guardedResource(writes), { accepted: 3, refused: 1, mixed: 0 })
  assert.is(guardedResource([...writes, { machine: 'm3', token: 2, atS: 4 }]).mixed, 1)
})

test.run()
