import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PAGE_LIMIT, pageOf, tokenOf } from '../../../../../api-server/legacy/fleet-v1/page.ts'

const test = suite("fleet's pages")

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)
const page = (count: number, ...tokens: string[]) =>
  pageOf(numbers(count), new URLSearchParams(tokens.map((token): [string, string] => ['nextPageToken', token])))

test('page two of a hundred has the token that fleet gave', () => assert.is(tokenOf(2), 'ZAACAA=='))

for (const [count, sizes] of [
  [0, [0]],
  [1, [1]],
  [99, [99]],
  [100, [100, 0]],
  [101, [100, 1]],
  [130, [100, 30]],
  [200, [100, 100, 0]],
] as const)
  test(`${count} items come in pages of ${sizes.join(', ')}`, () => {
    const seen: number[] = []
    const lengths: number[] = []
    for (let token: string | undefined = ''; token !== undefined; ) {
      const { items, nextPageToken } = page(count, token)
      seen.push(...items)
      lengths.push(items.length)
      token = nextPageToken
    }
    assert.equal(lengths, sizes)
    assert.equal(seen, numbers(count))
  })

test('a page past the end is empty', () => assert.equal(page(10, tokenOf(7)), { items: [], nextPageToken: undefined }))

for (const [token, why] of [
  ['!', 'illegal base64 data at input byte 0'],
  ['ZAA!AA==', 'illegal base64 data at input byte 3'],
  ['ZAACAA', 'illegal base64 data at input byte 4'],
  ['ZAAC', 'unexpected EOF'],
  [tokenOf(2, 50), `token limit must be ${PAGE_LIMIT}`],
  [tokenOf(0), 'token page must be greater than zero'],
] as const)
  test(`the token ${token} is refused: ${why}`, () => assert.throws(() => page(10, token), why))

test('two tokens are refused', () => {
  assert.throws(() => page(10, tokenOf(1), tokenOf(2)), 'too many values for page token')
})

test.run()
