import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { secretRefusal } from '../../../../api-server/auth/unit-secrets.ts'

const test = suite('Secrets that a unit names')
const ALICE = { user: 'alice', groups: [] }
const reference = (name: string) => ({ name, secretKeyRef: { name, key: 'k' } })
const unit = (spec: object, ...secrets: string[]) => ({
  metadata: { name: 'a.service' },
  spec: { content: 'x', ...spec, ...(secrets.length > 0 && { credentials: secrets.map(reference) }) },
})

/** Alice may get the Secret `hers` in namespace default, and nothing else. */
const authorizer = {
  decide: (_: unknown, asked: object) =>
    JSON.stringify(asked) ===
    JSON.stringify({ verb: 'get', group: '', resource: 'secrets', namespace: 'default', name: 'hers' })
      ? ({ allowed: true, reason: 'a role' } as const)
      : ({ allowed: false, reason: 'no role' } as const),
}

const ROWS: readonly [what: string, next: object, previous: object | undefined, refused: boolean][] = [
  ['a unit without credentials', unit({}), undefined, false],
  ['a new unit that names a Secret she may read', unit({}, 'hers'), undefined, false],
  ['a new unit that names another', unit({}, 'hers', 'other'), undefined, true],
  ['a reference added', unit({}, 'other'), unit({}), true],
  ['new content beside an old reference', unit({ content: 'print it' }, 'other'), unit({}, 'other'), true],
  ['a drop-in beside an old reference', unit({ dropIns: [] }, 'other'), unit({}, 'other'), true],
  ['another machine', unit({ machineName: 'mine' }, 'other'), unit({}, 'other'), true],
  ['a label', { ...unit({}, 'other'), metadata: { labels: { a: 'b' } } }, unit({}, 'other'), false],
  ['a stop', unit({ desiredState: 'loaded' }, 'other'), unit({ desiredState: 'launched' }, 'other'), false],
  ['more instances', unit({ replicas: 3 }, 'other'), unit({ replicas: 2 }, 'other'), false],
  ['the reference taken away', unit({}), unit({}, 'other'), false],
]

for (const [what, next, previous, refused] of ROWS)
  test(`${what} is ${refused ? 'refused' : 'let through'}`, () => {
    const answer = secretRefusal(authorizer, ALICE, next, previous)
    const expected = refused ? 'a unit may name only Secrets that its writer may read: no role' : undefined
    assert.is(answer, expected)
  })

test.run()
