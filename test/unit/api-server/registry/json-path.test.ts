import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jsonPath } from '../../../../api-server/registry/json-path.ts'

const test = suite('JSONPath of printer columns')

const OBJECT = {
  metadata: { name: 'web', annotations: { 'example.com/x': 'y' } },
  status: {
    ports: [{ port: 80 }, { port: 8080, tls: true }],
    addresses: [{ address: '10.0.0.1' }],
    conditions: [null, { type: 'Ready', status: 'True' }, { type: 'Other', status: 'False' }],
  },
}

const CASES: readonly (readonly [string, unknown])[] = [
  ['.metadata.name', 'web'],
  ['.status.addresses[0].address', '10.0.0.1'],
  ['.status.addresses[1].address', undefined],
  ['.status.conditions[?(@.type=="Ready")].status', 'True'],
  [".status.conditions[?(@.type == 'Other')].status", 'False'],
  ['.status.conditions[?(@.type=="None")].status', undefined],
  [".metadata.annotations['example.com/x']", 'y'],
  ['.status.conditions[*].status', 'True'],
  ['.status.conditions[-1].type', 'Other'],
  ['.status.ports[?(@.port>80)].port', 8080],
  ['.status.ports[?(@.tls)].port', 8080],
  ['.metadata.annotations.example\\.com/x', 'y'],
  ['.metadata.name.first', undefined],
  ['.metadata.toString', undefined],
  ['.metadata.__proto__.x', undefined],
  ['.status.addresses.length', undefined],
  ['', OBJECT],
]

for (const [path, value] of CASES)
  test(`${path || 'the empty path'} finds ${JSON.stringify(value)?.slice(0, 20)}`, () =>
    assert.equal(jsonPath(path)(OBJECT), value))

test('what holds nothing gives nothing', () => {
  for (const object of [undefined, null, 'x', 1, []]) assert.is(jsonPath('.a.b')(object), undefined)
})

for (const path of ['metadata', '.a..b', '.a[?(@.x>)]', '.a[1:2]', '.a['])
  test(`${path} is refused where it stops making sense`, () =>
    assert.throws(() => jsonPath(path), /is not understood from/))

test.run()
