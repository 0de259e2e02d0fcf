import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { atLeast, atMost, type Figure, verdict } from '../../bench/harness/figure.ts'
import { rounds } from '../../bench/harness/rounds.ts'
import { median, percentile, spreadOf } from '../../bench/harness/statistics.ts'

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

const test = suite("the benchmarks' statistics")

test('the median is the middle value, and the mean of the two middle ones of an even count', () => {
  assert.is(median([9, 1, 5]), 5)
  assert.is(median([4, 1, 3, 2]), 2.5)
  assert.is(median([7]), 7)
})

test('a percentile is a value of the sample, never one in between', () => {
  assert.is(percentile(hundred, 50), 50)
  assert.is(percentile(hundred, 99), 99)
  assert.is(percentile([10, 20], 50), 10)
  assert.is(percentile([10, 20], 51), 20)
})

test('the p99 of fewer than a hundred values is their maximum', () => {
  assert.is(percentile([1, 2, 300], 99), 300)
})

test('numbers are ordered as numbers', () => {
  assert.equal(spreadOf([100, 9, 20]), { count: 3, min: 9, p50: 20, p99: 100, max: 100 })
})

test('the sample is left as it was', () => {
  const sample = [3, 1, 2]
  median(sample)
  percentile(sample, 50)
  assert.equal(sample, [3, 1, 2])
})

test('no sample, or one with a hole in it, gives no number', () => {
  assert.throws(() => median([]), 'no sample')
  assert.throws(() => percentile([1, Number.NaN], 50), 'not a number')
  assert.throws(() => percentile([1], 101), 'not between')
})

test('a bar is judged by the median, not by the best or the worst run', () => {
  const figure: Figure = { what: 'start', who: 'us', unit: 'ms', runs: [90, 100, 900] }
  assert.is(verdict(figure), undefined)
  assert.is(verdict({ ...figure, bar: atMost(100) }), 'met')
  assert.is(verdict({ ...figure, bar: atMost(80) }), 'misses by 25 %')
  assert.is(verdict({ ...figure, bar: atLeast(100) }), 'met')
  assert.is(verdict({ ...figure, bar: atLeast(200) }), 'misses by 50 %')
  assert.is(verdict({ ...figure, bar: atMost(0) }), 'missed')
})

test('warm-up rounds run and are not counted', async () => {
  const seen: number[] = []
  const figures = await rounds(2, 1, async (collect, round) => {
    seen.push(round)
    collect.add('us', 'start', 'ms', round)
    collect.add('peer', 'start', 'ms', round * 10)
  })
  assert.equal(seen, [0, 1, 2])
  assert.equal(
    figures.map(({ who, runs }) => [who, runs]),
    [
      ['us', [1, 2]],
      ['peer', [10, 20]],
    ],
  )
})

test.run()
