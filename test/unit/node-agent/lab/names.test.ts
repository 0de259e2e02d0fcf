import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { belongsTo, checkMachineName, labNames, machineMac, machinePort } from '../../../../node-agent/lab/names.ts'
import { firstFreeNetwork, freeHostNumber } from '../../../../node-agent/lab/network.ts'
import { effectiveCapabilities } from '../../../../node-agent/lab/requirements.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('names and numbers of a lab')

test('a data folder has one id, however it is spelled, and also after it is gone', async () => {
  const dir = tempDir()
  mkdirSync(join(dir, 'data'))
  symlinkSync(join(dir, 'data'), join(dir, 'link'))
  const { id } = await labNames(join(dir, 'data'))
  assert.match(id, /^[0-9a-f]{6}$/)
  assert.is((await labNames(join(dir, 'link/../link/'))).id, id)
  rmSync(join(dir, 'data'), { recursive: true })
  assert.is((await labNames(join(dir, 'data'))).id, id)
  assert.is.not((await labNames(dir)).id, id)
})

test('no interface name is longer than the kernel allows', async () => {
  const names = await labNames('/')
  for (const name of [names.bridge, names.rootLink, names.rootPort, machinePort(names, 254)])
    assert.ok(name.length <= 15 && name.startsWith(`fl${names.id}`), name)
})

test('a lab does not take for its own what only begins alike', async () => {
  const names = await labNames('/')
  assert.ok(belongsTo(names, names.prefix) && belongsTo(names, `${names.prefix}-m1`))
  assert.not.ok(belongsTo(names, `${names.prefix}0`) || belongsTo(names, `x${names.prefix}`))
})

test("a machine's address on the wire is its own, stable, and locally administered", async () => {
  const names = await labNames('/')
  assert.match(machineMac(names, 'm1'), /^02(:[0-9a-f]{2}){5}$/)
  assert.is(machineMac(names, 'm1'), machineMac(names, 'm1'))
  assert.is.not(machineMac(names, 'm1'), machineMac(names, 'm2'))
})

test('machine names are host names', () => {
  for (const name of ['m1', 'a', 'a-b', 'x'.repeat(63)]) checkMachineName(name)
  for (const name of ['', '-a', 'a-', 'A', 'a.b', '../x', 'a b', 'x'.repeat(64)])
    assert.throws(() => checkMachineName(name), /must be 1-63/, name)
})

test('the lowest free network and host number are taken', () => {
  assert.is(firstFreeNetwork([]), 0)
  assert.is(firstFreeNetwork(['10.77.0.1', '10.77.2.0', '10.7.1.1', '110.77.1.1']), 1)
  assert.throws(() => firstFreeNetwork(Array.from({ length: 256 }, (_, k) => `10.77.${k}.1`)), /in use/)
  assert.is(freeHostNumber(new Set([11, 13])), 12)
  assert.throws(() => freeHostNumber(new Set(Array.from({ length: 256 }, (_, n) => n))), /at most 244 machines/)
})

test('capabilities are read from what the kernel says of this process', () => {
  assert.is(effectiveCapabilities('Name:\tx\nCapEff:\t0000000000200000\nCapBnd:\tff\n'), 1n << 21n)
  assert.is(effectiveCapabilities('Name:\tx\n'), 0n)
})

test.run()
