import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Unit } from '../../../../crds/unit.ts'
import type { Limits } from '../../../../crds/unit-limits.ts'
import { availableControllers, unenforceable } from '../../../../node-agent/units/limits/controllers.ts'
import { LIMITS_DROP_IN, limitsDropIn } from '../../../../node-agent/units/limits/limits-drop-in.ts'
import { unsupportedOption } from '../../../../node-agent/units/process/service-options.ts'
import { restartHash } from '../../../../node-agent/units/render/hashes.ts'
import { unsupportedFields } from '../../../../node-agent/units/render/render-unit.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('limits on the machine')

const FILES: readonly (readonly [string, Limits | undefined, string | undefined])[] = [
  ['a.service', undefined, undefined],
  ['a.service', {}, undefined],
  ['a.service', { cpu: '500m' }, '[Service]\nCPUQuota=50%\n'],
  ['a.service', { cpu: 2 }, '[Service]\nCPUQuota=200%\n'],
  ['a.service', { cpu: '1.2345' }, '[Service]\nCPUQuota=123.45%\n'],
  ['a.service', { cpu: '1u' }, '[Service]\nCPUQuota=0.01%\n'],
  ['a.service', { memory: '64Mi', tasks: '10' }, '[Service]\nMemoryMax=67108864\nTasksMax=10\n'],
  ['a.service', { memory: '1E' }, '[Service]\nMemoryMax=9007199254740991\n'],
  ['a.slice', { memory: '4Ki' }, '[Slice]\nMemoryMax=4096\n'],
  ['a.socket', { tasks: 3 }, '[Socket]\nTasksMax=3\n'],
  ['srv-a.mount', { tasks: 3 }, '[Mount]\nTasksMax=3\n'],
  ['a.timer', { tasks: 3 }, undefined],
]

for (const [name, limits, content] of FILES)
  test(`${name} with ${JSON.stringify(limits)}`, () => {
    const expected = content === undefined ? [] : [{ name: LIMITS_DROP_IN, content }]
    assert.equal(limitsDropIn(name, limits), expected)
  })

function unit(name: string, limits: Limits): Unit {
  const spec = { content: '[Service]\nExecStart=/bin/true\n', resources: { limits } }
  return { metadata: { name }, spec } as unknown as Unit
}

test('another limit is no reason to restart', () => {
  assert.is(restartHash(unit('a.service', { cpu: 1 })), restartHash(unit('a.service', { cpu: 2 })))
})

test('a unit that can have no limits says so, whoever let it in', () => {
  assert.match(unsupportedFields(unit('a.timer', { cpu: 1 }), 'system') ?? '', /a timer unit has no processes/)
  assert.is(unsupportedFields(unit('a.service', { cpu: 1 }), 'system'), undefined)
})

test('without systemd a limit is refused by name', () => {
  const dropIns = limitsDropIn('a.service', { memory: '1Gi' })
  const refused = unsupportedOption({ name: 'a.service', content: '[Service]\nExecStart=/bin/true\n', dropIns })
  assert.match(refused ?? '', /MemoryMax= .*systemd/)
})

const TREES: readonly {
  readonly title: string
  readonly kind: 'system' | 'user'
  readonly files?: Readonly<Record<string, string>>
  readonly folders?: readonly string[]
  readonly has: readonly string[]
}[] = [
  {
    title: 'v2, system',
    kind: 'system',
    files: { 'cgroup.controllers': 'cpu memory pids\n' },
    has: ['cpu', 'memory', 'pids'],
  },
  { title: 'v2, user', kind: 'user', files: { 'u/cgroup.controllers': 'memory pids\n' }, has: ['memory', 'pids'] },
  { title: 'v1, system', kind: 'system', folders: ['cpu,cpuacct', 'memory', 'pids'], has: ['cpu', 'memory', 'pids'] },
  { title: 'v1, user', kind: 'user', folders: ['cpu,cpuacct', 'memory', 'pids', 'u'], has: [] },
]

for (const { title, kind, files = {}, folders = [], has } of TREES)
  test(`what can be enforced: ${title}`, async () => {
    const root = tempDir()
    for (const folder of ['u', ...folders]) mkdirSync(join(root, folder), { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
    const available = await availableControllers({ managerProperty: async () => '/u' }, kind, root)
    assert.equal(
      ['cpu', 'memory', 'pids'].filter((controller) => available.has(controller)),
      has,
    )
  })

test('a limit without its controller is told, the others are not', () => {
  const dropIns = limitsDropIn('a.service', { memory: '1Gi', cpu: 1 })
  const file = { name: 'a.service', content: '', dropIns }
  assert.match(unenforceable(file, new Set(['memory'])) ?? '', /CPUQuota= cannot be enforced.*cpu controller/)
  assert.is(unenforceable(file, new Set(['memory', 'cpu'])), undefined)
  assert.is(unenforceable({ name: 'a.service', content: '' }, new Set()), undefined)
})

test.run()
