import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cyclesAmong, importRules, importsOf } from '../../checks/imports.ts'

const importing = (path: string, ...specifiers: string[]) => ({
  path,
  text: specifiers.map((specifier) => `import { a } from '${specifier}'\n`).join(''),
})

const test = suite('import rules')

test('every form of import is seen, quoted ones are not', () => {
  const text = [
    "import type { A } from './type.ts'",
    "import b, { c } from './static.ts'",
    "import {\n  d, // from 'nowhere'\n  e,\n} from './lines.ts'",
    "import './effect.ts'",
    "import * as f from './all.ts'",
    "export * from './again.ts'",
    "export { g } from './named.ts'",
    "const h = await import('./lazy.ts')",
    "// import { i } from './comment.ts'",
    "const j = `import { k } from './string.ts'`",
    "export const l = 'x'",
  ].join('\n')
  const seen = importsOf({ path: 'a.ts', text }).map(({ specifier, eager }) => [specifier, eager])
  assert.equal(
    new Map(seen as [string, boolean][]),
    new Map([
      ['./type.ts', false],
      ['./static.ts', true],
      ['./lines.ts', true],
      ['./all.ts', true],
      ['./again.ts', true],
      ['./named.ts', true],
      ['./effect.ts', true],
      ['./lazy.ts', false],
    ]),
  )
})

const allowed: readonly [string, string][] = [
  ['crds/unit.ts', './kind.ts'],
  ['controllers/lib/queue.ts', '../../crds/kind.ts'],
  ['controllers/scheduler/plan.ts', '../lib/queue.ts'],
  ['node-agent/units/plan.ts', '../../controllers/lib/queue.ts'],
  ['api-server/http/app.ts', '../registry/registry.ts'],
  ['api-server/http/app.ts', '../auth/pki.ts'],
  ['api-server/registry/registry.ts', '../store/store.ts'],
  ['api-server/legacy/etcd-v2/tree.ts', '../../store/store.ts'],
  ['api-server/main.ts', './store/open.ts'],
  ['api-server/http/documents.ts', '../version.ts'],
  ['node-agent/main.ts', '../package.json'],
  ['bin/up.ts', '../node-agent/main.ts'],
  ['test/unit/a.test.ts', '../../api-server/main.ts'],
]
for (const [from, to] of allowed) {
  test(`${from} may import ${to}`, () => assert.equal(importRules([importing(from, to)]).problems, []))
}

const refused: readonly [string, string][] = [
  ['crds/unit.ts', '../controllers/lib/queue.ts'],
  ['controllers/lib/queue.ts', '../scheduler/plan.ts'],
  ['controllers/scheduler/plan.ts', '../../node-agent/main.ts'],
  ['controllers/scheduler/plan.ts', '../../api-server/main.ts'],
  ['node-agent/units/plan.ts', '../../controllers/scheduler/plan.ts'],
  ['node-agent/main.ts', '../api-server/auth/pki.ts'],
  ['api-server/main.ts', '../controllers/lib/queue.ts'],
  ['api-server/store/embedded.ts', '../registry/registry.ts'],
  ['api-server/registry/registry.ts', '../http/app.ts'],
  ['api-server/http/app.ts', '../store/store.ts'],
  ['api-server/legacy/fleet-v1/units.ts', '../../store/store.ts'],
  ['api-server/main.ts', '../test/support/until.ts'],
]
for (const [from, to] of refused) {
  test(`${from} may not import ${to}`, () => assert.is(importRules([importing(from, to)]).problems.length, 1))
}

test('types follow the same arrows', () => {
  const text = "import type { A } from '../api-server/main.ts'\n"
  assert.is(importRules([{ path: 'controllers/main.ts', text }]).problems.length, 1)
})

test('an import states its suffix', () => {
  assert.match(importRules([importing('crds/unit.ts', './kind')]).problems.join(), 'with its .ts suffix')
})

test('a cycle is told as the path round it', () => {
  const sources = [importing('crds/a.ts', './b.ts'), importing('crds/b.ts', './c.ts'), importing('crds/c.ts', './a.ts')]
  assert.equal(importRules(sources).problems, ['import cycle: crds/a.ts → crds/b.ts → crds/c.ts → crds/a.ts'])
})

test('files that share a part make no cycle', () => {
  const edges = new Map([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['c', ['d']],
  ])
  assert.equal(cyclesAmong(edges), [])
})

test.run()
