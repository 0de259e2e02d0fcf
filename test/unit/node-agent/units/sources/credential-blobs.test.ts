import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCredentialBlobs } from '../../../../../node-agent/units/sources/credential-blobs.ts'
import { tempDir } from '../../../../support/temp-dir.ts'

const test = suite('agent: encrypted credentials on disk')
const LOGIN = { secret: 's', key: 'k', credential: 'login' }
const OTHER = { ...LOGIN, credential: '../../other' }

test('a blob is found again at the same path, whatever it holds, and its owner alone may read it', async () => {
  const dataDir = tempDir()
  const blobs = await openCredentialBlobs(dataDir)
  assert.not(blobs.has(LOGIN))
  await blobs.put(LOGIN, 'one')
  const path = blobs.pathOf(LOGIN)
  await blobs.put(LOGIN, 'two')
  const next = await openCredentialBlobs(dataDir)
  assert.ok(next.has(LOGIN))
  assert.equal([next.pathOf(LOGIN), readFileSync(path, 'utf8')], [path, 'two'])
  assert.is(statSync(path).mode & 0o777, 0o600)
})

test('names of any kind stay in the folder, and what is not kept is gone', async () => {
  const dataDir = tempDir()
  const blobs = await openCredentialBlobs(dataDir)
  await Promise.all([blobs.put(LOGIN, 'a'), blobs.put(OTHER, 'b')])
  const folder = join(dataDir, 'agent/credentials')
  assert.is(readdirSync(folder).length, 2)
  await blobs.keepTo([OTHER])
  assert.equal(readdirSync(folder), [blobs.pathOf(OTHER).slice(folder.length + 1)])
  assert.equal([blobs.has(LOGIN), blobs.has(OTHER)], [false, true])
})

test.run()
