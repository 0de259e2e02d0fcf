import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bool, double, int64, message, nested, repeated, text } from '../../../../api-server/http/protobuf-writer.ts'

const test = suite('protobuf writer')

/** Bytes as protobuf's encoding guide spells them, and one field number that needs a second tag byte. */
const GOLDEN: readonly (readonly [string, Buffer, string])[] = [
  ['an integer of two bytes', int64(1)(150), '08 96 01'],
  ['a text', text(2)('testing'), '12 07 74 65 73 74 69 6e 67'],
  ['a text of several bytes a letter', text(1)('é'), '0a 02 c3 a9'],
  ['a text longer than 127 bytes', text(1)('a'.repeat(300)).subarray(0, 4), '0a ac 02 61'],
  ['a negative integer', int64(1)(-2), '08 fe ff ff ff ff ff ff ff ff 01'],
  ['zero', int64(1)(0), '08 00'],
  ['a double', double(6)(1), '31 00 00 00 00 00 00 f0 3f'],
  ['true', bool(27)(true), 'd8 01 01'],
  ['a list', repeated(text(1))(['a', 'b']), '0a 01 61 0a 01 62'],
  ['a single value where a list may stand', repeated(text(1))('a'), '0a 01 61'],
  ['a message in a message', nested(3, message({ a: int64(1) }))({ a: 150 }), '1a 03 08 96 01'],
  ['a message without content', nested(3, message({ a: int64(1) }))({}), '1a 00'],
  ['what is null, undefined or unknown', message({ a: int64(1) })({ a: null, b: 1, constructor: 1 }), ''],
]

for (const [title, bytes, hex] of GOLDEN) {
  test(`${title} is written as protobuf has it`, () => assert.is(bytes.toString('hex'), hex.replaceAll(' ', '')))
}

test.run()
