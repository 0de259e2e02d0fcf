import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiError } from '../../../../controllers/lib/api-error.ts'
import { unlessChanged } from '../../../../controllers/lib/unless-changed.ts'

const test = suite('a guarded write')
const failing = (error: Error) => unlessChanged(() => Promise.reject(error))

test('is told apart from one that came too late', async () => {
  assert.is(await unlessChanged(async () => {}), true)
  for (const code of [404, 409]) assert.is(await failing(new ApiError(code, {})), false)
})

test('does not hide what else went wrong', async () => {
  for (const error of [new ApiError(403, {}), new Error('away')])
    assert.is(await failing(error).catch((thrown: unknown) => thrown), error)
})

test.run()
