import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checkMetadata,
  checkPathSegment,
  checkSubdomain,
  generatedName,
} from '../../../../api-server/registry/names.ts'
import { Namespace } from '../../../../crds/index.ts'
import type { Kind, Metadata } from '../../../../crds/kind.ts'
import { UNIT } from './with-registry.ts'

const test = suite('names and metadata')

for (const name of ['a', 'a-b.c', '0', 'x'.repeat(253)])
  test(`${name.slice(0, 10)} is a subdomain`, () => assert.is(checkSubdomain(name), undefined))
for (const name of ['', 'A', 'a_b', '-a', 'a-', 'a..b', '.a', 'a.', 'é', 'a b', 'x'.repeat(254), 'a\n'])
  test(`${JSON.stringify(name.slice(0, 10))} is no subdomain`, () => assert.type(checkSubdomain(name), 'string'))

for (const name of ['a', 'web@1.service', 'Äpfel', 'a\\x2db.service'])
  test(`${name} may stand in a path`, () => assert.is(checkPathSegment(name), undefined))
for (const name of ['.', '..', 'a/b', 'a%2fb', 'a\u0000', 'a\n', '\u007f', 'é'.repeat(127)])
  test(`${JSON.stringify(name.slice(0, 10))} may not stand in a path`, () =>
    assert.type(checkPathSegment(name), 'string'))

const FINE: readonly Partial<Metadata>[] = [
  { name: 'web@1.service' },
  { name: 'a.service', labels: { a: '', 'example.com/Role_x': 'A-b_c.d' } },
  { name: 'a.service', annotations: { 'Example.com/Any': '\u0000 whatever 🚀' } },
  { name: 'a.service', finalizers: ['flotilla.dev/stopped', 'orphan'] },
]

for (const metadata of FINE)
  test(`${JSON.stringify(metadata)} is fine`, () => assert.equal(checkMetadata(UNIT, metadata as Metadata), []))

const WRONG: readonly (readonly [Kind, Partial<Metadata>, string, string])[] = [
  [UNIT, {}, 'metadata.name', 'FieldValueRequired'],
  [UNIT, { name: 'a' }, 'metadata.name', 'FieldValueInvalid'],
  [UNIT, { name: '../../etc.service' }, 'metadata.name', 'FieldValueInvalid'],
  [Namespace as Kind, { name: 'a.b' }, 'metadata.name', 'FieldValueInvalid'],
  [UNIT, { name: 'a.service', labels: { 'A.com/x': 'x' } }, 'metadata.labels', 'FieldValueInvalid'],
  [UNIT, { name: 'a.service', labels: { a: 'web@1.service' } }, 'metadata.labels', 'FieldValueInvalid'],
  [UNIT, { name: 'a.service', labels: { a: 'x'.repeat(64) } }, 'metadata.labels', 'FieldValueInvalid'],
  [UNIT, { name: 'a.service', annotations: { 'a b': '' } }, 'metadata.annotations', 'FieldValueInvalid'],
  [UNIT, { name: 'a.service', annotations: { a: 'é'.repeat(140_000) } }, 'metadata.annotations', 'FieldValueTooLong'],
  [UNIT, { name: 'a.service', finalizers: ['no good'] }, 'metadata.finalizers', 'FieldValueInvalid'],
]

for (const [kind, metadata, field, reason] of WRONG)
  test(`${JSON.stringify(metadata).slice(0, 60)} is refused at ${field}`, () => {
    const causes = checkMetadata(kind, metadata as Metadata)
    assert.equal(
      causes.map((cause) => [cause.field, cause.reason]),
      [[field, reason]],
    )
  })

test('every broken rule of a label key and a label value is told', () => {
  const told = (labels: Record<string, string>) =>
    checkMetadata(UNIT, { name: 'a.service', labels } as Metadata).map(({ message }) =>
      message.replace(/^Invalid value: "[^"]*": /, '').slice(0, 36),
    )
  assert.equal(told({ '': 'x' }), ['name part must be non-empty', 'name part must consist of alphanumer'])
  assert.equal(told({ '/a': 'x' }), ['prefix part must be non-empty'])
  assert.equal(told({ a: `${'x'.repeat(64)}-` }), [
    'must be no more than 63 characters',
    'a valid label must be an empty strin',
  ])
})

test('a generated name is the prefix and five characters that spell no words', () => {
  const name = generatedName('gen-', () => 0.999)
  assert.is(name, 'gen-99999')
  for (let i = 0; i < 100; i++) assert.match(generatedName('gen-'), /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  assert.is(generatedName('x'.repeat(300)).length, 253)
})

test.run()
