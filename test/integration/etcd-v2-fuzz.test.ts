import * as assert from 'uvu/assert'
import { fuzz } from '../support/etcd-v2/fuzz.ts'
import { startPair } from '../support/etcd-v2/pair.ts'
import { suiteOf } from '../support/requirements.ts'

const test = suiteOf('random operations on the etcd v2 API', { needs: ['etcd'] })

/** Ten thousand in all; other seeds are in test/faults. */
const OPERATIONS = 2_500

for (const seed of [1, 2, 3, 4])
  test(`${OPERATIONS} of them, seed ${seed}: the door and etcd never differ`, async () => {
    await using pair = await startPair()
    assert.is(await fuzz(pair, { seed, operations: OPERATIONS }), undefined)
  })

test.run()
