import * as assert from 'uvu/assert'
import { difference } from '../support/etcd-v2/difference.ts'
import { type Pair, PairConnection, startPair } from '../support/etcd-v2/pair.ts'
import { requestOf } from '../support/etcd-v2/written.ts'
import { suiteOf } from '../support/requirements.ts'
import { CASES, type Case } from './etcd-v2-cases.ts'

const test = suiteOf('what etcd answers, the door answers', { needs: ['etcd'] })

let pair: Pair
let connection: PairConnection

test.before(async () => {
  pair = await startPair()
  connection = await PairConnection.open(pair)
})
test.after(async () => {
  connection.close()
  await pair[Symbol.asyncDispose]()
})

async function differences({ requests, contentType }: Case): Promise<string[]> {
  const found: string[] = []
  for (const line of requests) {
    const answers = await connection.ask(requestOf(line, contentType))
    const differs = difference(answers, line.includes('sorted'))
    if (differs !== undefined) found.push(`${line}: ${differs}`)
  }
  return found
}

for (const written of CASES) test(written.promise, async () => assert.equal(await differences(written), []))

test.run()
