import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiObject } from '../../../../crds/kind.ts'
import { openCopies } from '../../../../node-agent/units/copies.ts'
import { openRecords } from '../../../../node-agent/units/records.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('agent: copies of bound objects')

const MODULE = new URL('../../../../node-agent/units/copies.ts', import.meta.url).href

function unit(uid: string, note = ''): ApiObject {
  return { apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name: `${uid}.service`, uid }, spec: { note } }
}

const noDamage = (file: string): never => {
  throw new Error(`damaged: ${file}`)
}

test('what is kept is found again, by uid', async () => {
  const copies = openCopies(tempDir(), 'Unit')
  await copies.keep([unit('a'), unit('b')])
  await copies.keep([unit('b', 'newer')])
  await copies.forget(['a', 'never-kept'])
  const found = await copies.load(noDamage)
  assert.equal([...found], [['b', unit('b', 'newer')]])
})

test('a copy is readable by its owner alone', async () => {
  const dataDir = tempDir()
  await openCopies(dataDir, 'Unit').keep([unit('a')])
  assert.is(statSync(join(dataDir, 'agent/objects/Unit/a.json')).mode & 0o777, 0o600)
})

test('before the first copy there are none', async () => {
  assert.is((await openCopies(tempDir(), 'Unit').load(noDamage)).size, 0)
})

test('a damaged copy is named and does not hide the others', async () => {
  const dataDir = tempDir()
  const copies = openCopies(dataDir, 'Unit')
  await copies.keep([unit('a')])
  writeFileSync(join(dataDir, 'agent/objects/Unit/b.json'), '{"metadata":')
  const damaged: string[] = []
  const found = await copies.load((file) => damaged.push(file))
  assert.equal([...found.keys()], ['a'])
  assert.equal(damaged, [join(dataDir, 'agent/objects/Unit/b.json')])
})

test('a uid that is no uid never becomes a path', async () => {
  const copies = openCopies(tempDir(), 'Unit')
  for (const uid of ['../../etc/cron.d/x', '', 'a/b', '.'])
    await copies.keep([unit(uid)]).then(
      () => assert.unreachable(uid),
      (error: Error) => assert.match(error.message, 'not a uid'),
    )
})

test('no copy that was acknowledged is lost or torn by kill -9', async () => {
  const dataDir = tempDir()
  const script = `import { openCopies } from ${JSON.stringify(MODULE)}
    const copies = openCopies(${JSON.stringify(dataDir)}, 'Unit')
    for (let n = 0; ; n++) {
      const batch = [0, 1, 2, 3].map((k) => ({ apiVersion: 'v', kind: 'Unit', metadata: { name: 'x', uid: 'k' + k }, spec: { n, pad: 'x'.repeat(20000) } }))
      await copies.keep(batch)
      process.stdout.write(n + '\\n')
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let acknowledged = -1
  for await (const chunk of child.stdout) {
    acknowledged = Number(String(chunk).trim().split('\n').at(-1))
    if (acknowledged >= 20) break
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  const found = await openCopies(dataDir, 'Unit').load(noDamage)
  assert.is(found.size, 4)
  for (const copy of found.values()) assert.ok((copy.spec as { n: number }).n >= acknowledged)
})

test('records survive, and a torn file means no records', async () => {
  const dataDir = tempDir()
  const records = openRecords(dataDir)
  assert.is((await records.load()).size, 0)
  const record = { uid: 'a', name: 'a.service', unitName: 'a.service', hash: 'h', epoch: 'e', started: true }
  await records.save(new Map([['a', record]]))
  assert.equal([...(await openRecords(dataDir).load())], [['a', record]])
  mkdirSync(join(dataDir, 'agent'), { recursive: true })
  const file = join(dataDir, 'agent', 'records.json')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20))
  assert.is((await records.load()).size, 0)
  assert.equal(readdirSync(join(dataDir, 'agent')), ['records.json'])
})

test.run()
