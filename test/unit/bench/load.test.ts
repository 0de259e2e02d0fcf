import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseShow } from '../../bench/flotilla/machines.ts'
import { ResponseReader } from '../../bench/load/response-reader.ts'
import { NUMBER, requestText, STAMP, template } from '../../bench/load/template.ts'
import { stampFinder } from '../../bench/load/watchers.ts'

/** Every way of cutting `text` into three pieces. */
function* cuts(text: string): Generator<Buffer[]> {
  const bytes = Buffer.from(text)
  for (let first = 0; first <= bytes.length; first++)
    for (let second = first; second <= bytes.length; second += 7)
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
}

const SIZED = 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello'
const EMPTY = 'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n'
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\na\r\n, watchers\r\n0\r\n\r\n'

const test = suite("the benchmarks' client")

test('answers are told apart however the network cuts them', () => {
  for (const pieces of cuts(SIZED + CHUNKED + EMPTY)) {
    const ended: [number, number][] = []
    let body = ''
    const reader = new ResponseReader({
      onBody: (piece) => {
        body += piece.toString()
      },
      onEnd: (status, bytes) => ended.push([status, bytes]),
    })
    for (const piece of pieces) reader.push(piece)
    assert.equal(ended, [
      [201, 5],
      [200, 15],
      [204, 0],
    ])
    assert.is(body, 'hellohello, watchers')
  }
})

test('a watch event is found once however its stamp is cut', () => {
  const text = `{"at":"1700000000000.25"}\n{"at":"1700000000001.50"}\n`
  for (const pieces of cuts(text)) {
    const found: number[] = []
    const find = stampFinder('"at":"', (sentMs) => found.push(sentMs))
    for (const piece of pieces) find(piece)
    assert.equal(found, [1_700_000_000_000.25, 1_700_000_000_001.5])
  }
})

test('a request keeps its length with every number in it', () => {
  const body = JSON.stringify({ name: NUMBER, at: STAMP })
  const fill = template(requestText({ method: 'PUT', path: `/${NUMBER}`, host: 'localhost', body }))
  const text = fill(42).toString()
  assert.match(text, 'PUT /00000042 HTTP/1.1\r\n')
  assert.match(text, `content-length: ${body.length}\r\n`)
  assert.match(text, /"name":"00000042","at":"\d{13}\.\d\d"/)
  assert.is(text.length, fill(99_999_999).length)
})

test("systemd's own time of activation is read to the microsecond", () => {
  const show = `Id=a.service\nActiveEnterTimestamp=Fri 2026-11-21 13:46:47.123456 UTC\n\nId=b.service\nActiveEnterTimestamp=\n`
  assert.equal([...parseShow(show)], [['a.service', Date.UTC(2026, 10, 21, 13, 46, 47) + 123.456]])
})

test.run()
