import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../../../api-server/legacy/etcd-v2/bytes.ts'

const test = suite('byte strings as the JSON of Go')

const bytes = (...values: number[]) => String.fromCharCode(...values)

const QUOTED: readonly (readonly [bytes: string, json: string])[] = [
  ['', '""'],
  ['plain / text', '"plain / text"'],
  ['<a href="x">&\\', '"\\u003ca href=\\"x\\"\\u003e\\u0026\\\\"'],
  ['\n\r\t\b\u0000\u007f', '"\\n\\r\\t\\u0008\\u0000\u007f"'],
  [bytes(0xc3, 0xa9), `"${bytes(0xc3, 0xa9)}"`],
  [bytes(0xe2, 0x80, 0xa8, 0xe2, 0x80, 0xa9), '"\\u2028\\u2029"'],
  [bytes(0xff), '"\\ufffd"'],
  [bytes(0xe2, 0x82), '"\\ufffd\\ufffd"'],
  [bytes(0xed, 0xa0, 0x80), '"\\ufffd\\ufffd\\ufffd"'],
  [bytes(0xef, 0xbf, 0xbd), `"${bytes(0xef, 0xbf, 0xbd)}"`],
]

for (const [value, json] of QUOTED) test(json, () => assert.is(quote(value), json))

test.run()
