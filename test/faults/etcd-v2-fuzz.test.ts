// deadline: 300 s
import * as assert from 'uvu/assert'
import { fuzz } from '../support/etcd-v2/fuzz.ts'
import { startPair } from '../support/etcd-v2/pair.ts'
import { suiteOf } from '../support/requirements.ts'

const test = suiteOf('ten thousand random operations on the etcd v2 API', { needs: ['etcd'] })

const OPERATIONS = 2_500

for (const seed of [5, 6, 7, 8])
  test(`${OPERATIONS} of them, seed ${seed}: the door and etcd never differ`, async () => {
    await using pair = await startPair()
    assert.is(await fuzz(pair, { seed, operations: OPERATIONS }), undefined)
  })

test.run()
