import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkSchema } from '../../../../api-server/custom/schema/index.ts'
import { toKinds } from '../../../../api-server/custom/to-kinds.ts'
import { encodeOpenApiV2 } from '../../../../api-server/http/openapi-v2.ts'
import { openApiV2, openApiV3 } from '../../../../crds/openapi.ts'
import { definition, VERSION } from './support.ts'

const test = suite('what is admitted can be published')

const NAMES = { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList' }
const VALUES: readonly unknown[] = [null, 0, -1, 'x', '', true, [], {}, [null], { a: null }, 1e300, { properties: 5 }]
const KEYWORDS = [
  ...['type', 'description', 'format', 'default', 'maximum', 'exclusiveMaximum', 'maxLength', 'enum', 'items'],
  ...['properties', 'required', 'additionalProperties', 'allOf', 'not', 'nullable', 'pattern', 'title', 'example'],
  ...['x-kubernetes-list-type', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-validations', 'uniqueItems'],
]

/** One document holds all kinds: a schema that it cannot be made of would keep everybody from applying anything. */
test('no schema that a definition may have breaks the OpenAPI documents', () => {
  let admitted = 0
  for (const keyword of KEYWORDS)
    for (const value of VALUES) {
      const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', [keyword]: value } } }
      if (checkSchema(openAPIV3Schema, []).length > 0) continue
      const kinds = toKinds(definition(NAMES, { versions: [{ ...VERSION, schema: { openAPIV3Schema } }] }), NAMES)
      assert.ok(JSON.stringify(openApiV3(kinds)), keyword)
      assert.ok(encodeOpenApiV2(openApiV2(kinds)).length > 0, keyword)
      admitted++
    }
  assert.ok(admitted > 20, `${admitted} admitted`)
})

test.run()
