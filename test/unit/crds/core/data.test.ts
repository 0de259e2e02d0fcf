import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigMap, Secret } from '../../../../crds/index.ts'
import { cell, take } from './support.ts'

const data = suite('ConfigMap and Secret')

data('text given as stringData is kept in base64, over what data says', () => {
  const { object, refused } = take(Secret, { data: { a: 'b2xk', b: 'Yg==' }, stringData: { a: 'new' } })
  assert.equal(refused, [])
  assert.equal(object.data, { a: 'bmV3', b: 'Yg==' })
  assert.is(object.stringData, undefined)
  assert.is(object.type, 'Opaque')
})

data('line ends inside base64 are taken out', () => {
  assert.equal(take(Secret, { data: { a: 'YW\r\nJj' } }).object.data, { a: 'YWJj' })
})

data('what is no base64 is malformed', () => {
  assert.equal(take(Secret, { data: { a: '%%%' } }).refused, ['data[a] Malformed'])
  assert.equal(take(Secret, { data: { a: 'YWJ' } }).refused, ['data[a] Malformed'])
  assert.equal(take(ConfigMap, { binaryData: { a: 'x' } }).refused, ['binaryData[a] Malformed'])
})

data('keys are file names', () => {
  for (const key of ['..', '.', '..x', 'a/b', 'a b', 'x'.repeat(254)])
    assert.equal(take(ConfigMap, { data: { [key]: '' } }).refused, [`data[${key}] FieldValueInvalid`])
  assert.equal(take(ConfigMap, { data: { '.dockercfg': '', 'A_b-c.d': '' } }).refused, [])
})

data('a key is text or bytes, not both', () => {
  assert.equal(take(ConfigMap, { data: { a: 'x' }, binaryData: { a: 'eA==' } }).refused, ['data[a] FieldValueInvalid'])
})

data('more than a mebibyte is too long', () => {
  assert.equal(take(ConfigMap, { data: { a: 'x'.repeat(1024 * 1024 + 1) } }).refused, ['data FieldValueTooLong'])
})

data('what is immutable stays so, labels aside', () => {
  const { object } = take(ConfigMap, { data: { a: 'x' }, immutable: true })
  assert.equal(
    take(ConfigMap, { data: { a: 'x' }, immutable: true, metadata: { name: 'x', labels: { a: 'b' } } }, object).refused,
    [],
  )
  assert.equal(take(ConfigMap, { data: { a: 'y' }, immutable: true }, object).refused, ['data FieldValueForbidden'])
  assert.equal(take(ConfigMap, { data: { a: 'x' } }, object).refused, ['immutable FieldValueForbidden'])
})

data('a type promises its keys', () => {
  assert.equal(take(Secret, { type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } }).refused, [
    'data[tls.key] FieldValueRequired',
  ])
  assert.equal(
    take(Secret, { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } }).refused,
    ['data[.dockerconfigjson] FieldValueInvalid'],
  )
  assert.equal(take(Secret, { type: 'kubernetes.io/basic-auth', stringData: { username: 'x' } }).refused, [])
  assert.equal(take(Secret, { type: 'kubernetes.io/service-account-token' }).refused, [
    'metadata.annotations[kubernetes.io/service-account.name] FieldValueRequired',
  ])
})

data('the type of a secret never changes', () => {
  const { object } = take(Secret, { type: 'mine' })
  assert.equal(take(Secret, { type: 'yours' }, object).refused, ['type FieldValueInvalid'])
})

data('null is absence, wherever it stands', () => {
  const { object, refused } = take(ConfigMap, { data: null, immutable: null })
  assert.equal(refused, [])
  assert.equal(Object.keys(object), ['apiVersion', 'kind', 'metadata'])
})

data('the table counts both kinds of data', () => {
  assert.is(cell(ConfigMap, 'Data', { data: { a: '' }, binaryData: { b: '' } }), 2)
  assert.is(cell(Secret, 'Data', {}), 0)
})

data.run()
