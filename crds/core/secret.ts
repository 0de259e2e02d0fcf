import * as z from 'zod'
import type { ApiObject, ObjectOf, Violation } from '../kind.ts'
import { checkBase64, withoutLineEnds } from './base64.ts'
import { defineBuiltIn, isRecord } from './built-in.ts'
import { AGE, countKeys } from './columns.ts'
import { checkDataKeys, checkImmutable, checkSize } from './data.ts'
import { StringMap } from './lists.ts'

export const Secret = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  description: 'Passwords, keys and tokens for units and pods to read.',
  selectableFields: ['type'],
  fields: {
    data: StringMap.optional().describe('Bytes in base64, by key.'),
    stringData: StringMap.optional().describe('Text, by key: written into data, never read back.'),
    type: z.string().optional().describe('What it holds; it says which keys must be there.'),
    immutable: z.boolean().optional().describe('True: data may not change any more.'),
  },
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.type', description: 'What it holds.' },
    {
      name: 'Data',
      type: 'integer',
      jsonPath: '.data',
      description: 'How many keys it has.',
      cell: (object) => countKeys(object, 'data'),
    },
    AGE,
  ],
  complete: (object) => {
    moveStrings(object)
    if (!object.type) object.type = 'Opaque'
  },
  check: (object, previous) => [
    ...checkBase64(object, 'data'),
    ...checkDataKeys(object, ['data']),
    ...checkSize(object, ['data']),
    ...checkImmutable(object, previous, ['data']),
    ...checkSameType(object, previous),
    ...checkTypesKeys(object),
  ],
})
export type Secret = ObjectOf<typeof Secret>

/** Strings win over what data holds under the same key. What is no string is left for the schema to refuse. */
function moveStrings(object: ApiObject): void {
  const { data, stringData } = object
  if (isRecord(data))
    for (const [key, value] of Object.entries(data)) if (typeof value === 'string') data[key] = withoutLineEnds(value)
  if (!isRecord(stringData) || !Object.values(stringData).every((value) => typeof value === 'string')) return
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')])
  delete object.stringData
  if (encoded.length > 0) object.data = { ...(isRecord(data) ? data : {}), ...Object.fromEntries(encoded) }
}

function checkSameType(object: ApiObject, previous: ApiObject | undefined): Violation[] {
  return previous === undefined || previous.type === object.type
    ? []
    : [{ path: ['type'], message: 'field is immutable' }]
}

const NEEDED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}
const JSON_KEYS = new Set(['.dockercfg', '.dockerconfigjson'])
const ACCOUNT = 'kubernetes.io/service-account.name'

/** What each well-known type promises its readers. */
function checkTypesKeys(object: ApiObject): Violation[] {
  const data = (object.data ?? {}) as Record<string, string>
  const required = (key: string): Violation => ({ path: [`data[${key}]`], message: '', reason: 'FieldValueRequired' })
  if (object.type === 'kubernetes.io/basic-auth')
    return 'username' in data || 'password' in data ? [] : [required('%username'), required('%password')]
  if (object.type === 'kubernetes.io/service-account-token' && !object.metadata.annotations?.[ACCOUNT])
    return [{ path: [`metadata.annotations[${ACCOUNT}]`], message: '', reason: 'FieldValueRequired' }]
  return (NEEDED_KEYS[String(object.type)] ?? []).flatMap((key) => {
    if (!Object.hasOwn(data, key)) return [required(key)]
    return JSON_KEYS.has(key) && !isJson(data[key])
      ? [{ path: [`data[${key}]`], value: '<secret contents redacted>', message: 'invalid JSON' }]
      : []
  })
}

function isJson(base64: string | undefined): boolean {
  try {
    JSON.parse(Buffer.from(base64 ?? '', 'base64').toString())
    return true
  } catch {
    return false // the question was only whether it can be parsed
  }
}
