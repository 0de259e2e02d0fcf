import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AuditRecord, openAuditLog } from '../../../../api-server/http/audit.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { until } from '../../../support/until.ts'

const test = suite('the audit log')
const log = pino({ level: 'silent' })

function record(name: string): AuditRecord {
  const absent = { impersonatedBy: undefined, subresource: undefined, dryRun: undefined, source: undefined }
  return {
    time: '2026-01-01T00:00:00.000Z',
    requestId: name,
    user: 'alice',
    groups: ['devs'],
    verb: 'create',
    group: '',
    resource: 'pods',
    namespace: 'default',
    name,
    code: 201,
    resourceVersion: '7',
    latencyMs: 1,
    ...absent,
  }
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const RENEWAL = { group: 'coordination.k8s.io', resource: 'leases', verb: 'patch', code: 200 } as const

for (const [what, changed, isLeftOut] of [
  ['a renewal', {}, true],
  ['a renewal by update', { verb: 'update' }, true],
  ['a renewal that was refused', { code: 409 }, false],
  ['a new Lease', { verb: 'create', code: 201 }, false],
  ['a Lease that goes', { verb: 'delete' }, false],
  ['a Lease of another group', { group: 'example.dev' }, false],
] as const)
  test(`without heartbeats ${what} is ${isLeftOut ? 'left out' : 'told'}; by default it is told`, async () => {
    for (const withHeartbeats of [false, undefined]) {
      const file = join(tempDir(), 'audit.log')
      const audit = await openAuditLog({ file, ...(withHeartbeats === false && { withHeartbeats }) }, log)
      audit.write({ ...record('lease'), ...RENEWAL, ...changed })
      audit.write(record('last'))
      await audit.close()
      const names = linesOf(file).map(({ name }) => name)
      assert.equal(names, withHeartbeats === false && isLeftOut ? ['last'] : ['lease', 'last'])
    }
  })

test('what was written before it closes is in the file, in order', async () => {
  const file = join(tempDir(), 'audit.log')
  const audit = await openAuditLog({ file }, log)
  for (let i = 0; i < 500; i++) audit.write(record(`p${i}`))
  await audit.close()
  assert.equal(
    linesOf(file).map(({ name }) => name),
    Array.from({ length: 500 }, (_, i) => `p${i}`),
  )
  assert.equal(Object.keys(linesOf(file)[0]).includes('subresource'), false)
})

test('it goes on in the same file after a restart, and only its owner may read it', async () => {
  const file = join(tempDir(), 'audit.log')
  for (const name of ['a', 'b']) {
    const audit = await openAuditLog({ file }, log)
    audit.write(record(name))
    await audit.close()
  }
  assert.equal(
    linesOf(file).map(({ name }) => name),
    ['a', 'b'],
  )
})

test('large files are put aside, and only so many are kept', async () => {
  const folder = tempDir()
  for (let i = 0; i < 6; i++) {
    const audit = await openAuditLog({ file: join(folder, 'audit.log'), maxBytes: 100, keep: 3 }, log)
    audit.write(record(`p${i}`))
    await audit.close()
  }
  assert.equal(readdirSync(folder).sort(), ['audit.log', 'audit.log.1', 'audit.log.2', 'audit.log.3'])
  assert.equal(
    [1, 2, 3].map((at) => linesOf(join(folder, `audit.log.${at}`))[0].name),
    ['p5', 'p4', 'p3'],
  )
})

test('a flood beyond the bound is dropped and counted, and the log says so', async () => {
  const file = join(tempDir(), 'audit.log')
  const audit = await openAuditLog({ file, maxWaitingBytes: 1_000 }, log)
  for (let i = 0; i < 100; i++) audit.write(record(`p${i}`))
  assert.ok(audit.dropped > 80)
  await audit.close()
  assert.is(linesOf(file).length + audit.dropped, 100)
})

test('while its folder is away lines are lost, never a request, and it goes on when the folder is back', async () => {
  const folder = join(tempDir(), 'gone')
  const file = join(folder, 'audit.log')
  mkdirSync(folder)
  const audit = await openAuditLog({ file, maxBytes: 1 }, log)
  rmSync(folder, { recursive: true })
  audit.write(record('a'))
  await until(() => audit.dropped === 1, { what: 'the loss' })
  mkdirSync(folder)
  audit.write(record('b'))
  await audit.close()
  const [line] = linesOf(`${file}.1`)
  assert.equal([line.name, line.droppedBefore], ['b', 1])
})

test.run()
