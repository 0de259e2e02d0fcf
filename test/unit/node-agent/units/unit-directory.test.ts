import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { badDropIn, openUnitDirectory } from '../../../../node-agent/units/unit-directory.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('folder of installed unit files')
const A = { name: 'a.service', content: 'a' }
const withDropIns = (...names: string[]) => ({ ...A, dropIns: names.map((name) => ({ name, content: name })) })

test('a write tells what it meant, drop-ins included', async () => {
  const dir = await openUnitDirectory(tempDir())
  const write = async (file: typeof A) => (await dir.write([file])).get('a.service')
  assert.is(await write(A), 'new')
  assert.is(await write(A), 'same')
  assert.is(await write(withDropIns('2.conf', '1.conf')), 'changed')
  assert.is(await write(withDropIns('1.conf', '2.conf')), 'same')
  assert.is(await write(withDropIns('1.conf')), 'changed')
  assert.equal([...(await dir.read()).values()], [withDropIns('1.conf')])
  assert.is(await write(A), 'changed')
  assert.equal([...(await dir.read()).values()], [A])
})

test('nothing is left of a unit: neither its drop-ins nor what a crash left half-written', async () => {
  const path = tempDir()
  const dir = await openUnitDirectory(path)
  await dir.write([withDropIns('1.conf'), { name: 'b.service', content: 'b' }])
  writeFileSync(join(dir.dropInsOf('a.service'), '.1.conf'), 'half')
  await dir.remove(['a.service', 'never.service'])
  assert.equal(readdirSync(path), ['b.service'])
})

test('what a crash left of drop-ins alone is no unit, and is cleared by the next write of the name', async () => {
  const dir = await openUnitDirectory(tempDir())
  await dir.write([withDropIns('1.conf')])
  await openUnitDirectory(dir.dropInsOf('b.service'))
  writeFileSync(join(dir.dropInsOf('b.service'), 'old.conf'), 'old')
  assert.equal([...(await dir.read()).keys()], ['a.service'])
  await dir.write([{ name: 'b.service', content: 'b' }])
  assert.not(existsSync(dir.dropInsOf('b.service')))
})

test('names that lead elsewhere, and two of one name, are told', () => {
  assert.is(badDropIn(withDropIns('1.conf', 'a:b_c-d.e.conf')), undefined)
  for (const name of ['../x.conf', '.x.conf', 'x', 'a b.conf', 'x.conf\n', ''])
    assert.match(badDropIn(withDropIns(name)) ?? '', 'is not the name of a drop-in', JSON.stringify(name))
  assert.is(badDropIn(withDropIns('1.conf', '1.conf')), 'there are two drop-ins 1.conf')
})

test.run()
