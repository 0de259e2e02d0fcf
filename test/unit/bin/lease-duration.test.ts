import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseLeaseDuration } from '../../../bin/lease-duration.ts'

const test = suite('--lease-duration')

test('is whole seconds from two seconds to five minutes, in any spelling of a duration', () => {
  const given = ['2s', '8', '2000ms', '1m30s', '5m']
  assert.equal(given.map(parseLeaseDuration), [2_000, 8_000, 2_000, 90_000, 300_000])
})

for (const text of ['1s', '1999ms', '2500ms', '301s', '0', '-5s', '', 'soon'])
  test(`refuses "${text}" with a sentence`, () => {
    assert.throws(() => parseLeaseDuration(text), /Whole seconds, from 2s to 5m|is no duration/)
  })

test.run()
