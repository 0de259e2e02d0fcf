/** Longer than 250 lines: one table of everything a schema may not say, a row for each sentence. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkSchema } from '../../../../../api-server/custom/schema/index.ts'
import { kindOf } from './fixture.ts'

const test = suite('what a schema must be')

/** `x` stands at spec.x; a violation reads `reason path: message`, its path without what all have in common. */
type Row = readonly [what: string, x: object, ...violations: readonly string[]]

const text = { type: 'string' }
const LIST = 'x-kubernetes-list-type'
const KEYS = 'x-kubernetes-list-map-keys'
const PRESERVE = 'x-kubernetes-preserve-unknown-fields'
const EMBEDDED = 'x-kubernetes-embedded-resource'
const INT_OR_STRING = 'x-kubernetes-int-or-string'
const item = { type: 'object', properties: { k: text }, required: ['k'] }
const mapList = { type: 'array', items: item, [LIST]: 'map', [KEYS]: ['k'] }
const rules = (...list: object[]) => ({
  type: 'object',
  properties: { n: { type: 'integer' } },
  'x-kubernetes-validations': list,
})
const RULE = 'x-kubernetes-validations[0]'

const ROWS: readonly Row[] = [
  ['a type is enough', text],
  ['preserved content needs none', { [PRESERVE]: true }],
  ['int-or-string needs none', { [INT_OR_STRING]: true }],
  ['int-or-string in its long form', { [INT_OR_STRING]: true, anyOf: [{ type: 'integer' }, { type: 'string' }] }],
  [
    'int-or-string under allOf',
    { [INT_OR_STRING]: true, allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }] },
  ],
  ['a list of type map', mapList],
  ['no type', {}, 'Required type: must not be empty for specified object fields'],
  [
    'no type of items',
    { type: 'array', items: {} },
    'Required items.type: must not be empty for specified array items',
  ],
  ['no items', { type: 'array' }, 'Required items: must be specified'],
  [
    'a list of items',
    { type: 'array', items: [text] },
    'Forbidden items: items must be a schema object and not an array',
  ],
  [
    'a type of no language',
    { type: 'date' },
    'NotSupported type: supported values: "array", "boolean", "integer", "number", "object", "string"',
  ],
  ['type null', { type: 'null' }, 'Forbidden type: type cannot be set to null, use nullable as an alternative'],
  ['$ref', { ...text, $ref: '#/a' }, 'Forbidden $ref: $ref is not supported'],
  ['definitions', { ...text, definitions: { a: text } }, 'Forbidden definitions: definitions is not supported'],
  [
    'patternProperties',
    { type: 'object', patternProperties: { a: text } },
    'Forbidden patternProperties: patternProperties is not supported',
  ],
  [
    'uniqueItems',
    { type: 'array', items: text, uniqueItems: true },
    'Forbidden uniqueItems: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
  ],
  [
    'both kinds of properties',
    { type: 'object', properties: { a: text }, additionalProperties: text },
    'Forbidden additionalProperties: additionalProperties and properties are mutual exclusive',
  ],
  [
    'additionalProperties: false',
    { type: 'object', additionalProperties: false },
    'Forbidden additionalProperties: additionalProperties cannot be set to false',
  ],
  [
    'preserve: false',
    { type: 'object', [PRESERVE]: false },
    'Invalid x-kubernetes-preserve-unknown-fields: must be true or undefined',
  ],
  [
    'int-or-string that preserves',
    { [INT_OR_STRING]: true, [PRESERVE]: true },
    'Invalid x-kubernetes-preserve-unknown-fields: must be false if x-kubernetes-int-or-string is true',
  ],
  [
    'an embedded text',
    { type: 'string', [EMBEDDED]: true, [PRESERVE]: true },
    'Invalid type: must be object if x-kubernetes-embedded-resource is true',
  ],
  [
    'an embedded nothing',
    { type: 'object', [EMBEDDED]: true },
    'Required properties: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
  ],
  [
    'a pattern with look-ahead',
    { ...text, pattern: '(?=a)' },
    "Invalid pattern: must be a valid regular expression, but isn't: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
  ],
  [
    'a pattern with a back reference',
    { ...text, pattern: '(a)\\1' },
    "Invalid pattern: must be a valid regular expression, but isn't: error parsing regexp: invalid escape sequence: `\\1`",
  ],
  [
    'a list type on a text',
    { ...text, [LIST]: 'set' },
    'Invalid type: must be array if x-kubernetes-list-type is specified',
  ],
  [
    'an unknown list type',
    { type: 'array', items: text, [LIST]: 'bag' },
    'NotSupported x-kubernetes-list-type: supported values: "atomic", "map", "set"',
  ],
  [
    'an unknown map type',
    { type: 'object', 'x-kubernetes-map-type': 'x' },
    'NotSupported x-kubernetes-map-type: supported values: "atomic", "granular"',
  ],
  [
    'a map type on a text',
    { ...text, 'x-kubernetes-map-type': 'atomic' },
    'Invalid type: must be object if x-kubernetes-map-type is specified',
  ],
  [
    'a set of objects that are not atomic',
    { type: 'array', items: item, [LIST]: 'set' },
    'Invalid items.x-kubernetes-map-type: must be atomic as item of a list with x-kubernetes-list-type=set',
  ],
  [
    'nullable items of a set',
    { type: 'array', items: { ...text, nullable: true }, [LIST]: 'set' },
    'Forbidden items.nullable: cannot be nullable when x-kubernetes-list-type is set',
  ],
  [
    'keys without a list type',
    { type: 'array', items: item, [KEYS]: ['k'] },
    'Required x-kubernetes-list-type: must be map if x-kubernetes-list-map-keys is non-empty',
  ],
  [
    'a map list without keys',
    { type: 'array', items: item, [LIST]: 'map' },
    'Required x-kubernetes-list-map-keys: must not be empty if x-kubernetes-list-type is map',
  ],
  [
    'a key that no item has',
    { ...mapList, [KEYS]: ['z'] },
    'Invalid x-kubernetes-list-map-keys: entries must all be names of item properties',
  ],
  [
    'a key twice',
    { ...mapList, [KEYS]: ['k', 'k'] },
    'Invalid x-kubernetes-list-map-keys: must not contain duplicate entries',
  ],
  [
    'a map list of texts',
    { ...mapList, items: text },
    "Invalid items.type: must be object if parent array's x-kubernetes-list-type is map",
  ],
  [
    'a key that may be missing',
    { ...mapList, items: { ...item, required: [] } },
    'Required items.properties[k].default: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
  ],
  [
    'a key that is a list',
    { ...mapList, items: { ...item, properties: { k: { type: 'array', items: text } } } },
    "Invalid items.properties[k].type: must be a scalar type if parent array's x-kubernetes-list-type is map",
  ],
  ['a type under anyOf', { ...text, anyOf: [text] }, 'Forbidden anyOf[0].type: must be empty to be structural'],
  [
    'a default under allOf',
    { ...text, allOf: [{ default: 'a' }] },
    'Forbidden allOf[0].default: must be undefined to be structural',
  ],
  [
    'a description under oneOf',
    { ...text, oneOf: [{ description: 'a' }] },
    'Forbidden oneOf[0].description: must be empty to be structural',
  ],
  [
    'nullable under not',
    { ...text, not: { nullable: true } },
    'Forbidden not.nullable: must be false to be structural',
  ],
  [
    'a rule under allOf',
    { ...text, allOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }] },
    'Forbidden allOf[0].x-kubernetes-validations: must be empty to be structural',
  ],
  [
    'metadata under a junctor',
    { type: 'object', properties: { metadata: { type: 'object' } }, anyOf: [{ properties: { metadata: {} } }] },
    'Forbidden anyOf[0].properties[metadata]: must not be specified in a nested context',
  ],
  ['a default', { type: 'integer', default: 3 }],
  [
    'a default of the wrong type',
    { type: 'integer', default: 'x' },
    'Invalid default: in body must be of type integer: "string"',
  ],
  [
    'a default out of bounds',
    { type: 'integer', maximum: 3, default: 4 },
    'Invalid default: in body should be less than or equal to 3',
  ],
  [
    'a default beside the enum',
    { ...text, enum: ['a'], default: 'b' },
    'Invalid default: Unsupported value: "b": supported values: "a"',
  ],
  [
    'a default with unknown fields',
    { type: 'object', properties: { a: text }, default: { b: 1 } },
    'Invalid default: must not have unknown fields',
  ],
  ['a default that lacks a field', { ...item, default: {} }, 'Invalid default: k: Required value'],
  ['a number that is none', { type: 'integer', maximum: 'x' }, 'Invalid maximum: must be a number'],
  ['properties that are none', { type: 'object', properties: [] }, 'Invalid properties: must be an object of schemas'],
  ['a required that is a text', { type: 'object', required: 'a' }, 'Invalid required: must be a list of strings'],
  ['multipleOf nothing', { type: 'integer', multipleOf: 0 }, 'Invalid multipleOf: must be greater than 0'],
  ['an empty rule', rules({ rule: ' ' }), `Required ${RULE}.rule: rule is not specified`],
  [
    'a rule of lines without a message',
    rules({ rule: 'true ||\nfalse' }),
    `Required ${RULE}.message: message must be specified if rule contains line breaks`,
  ],
  [
    'a message of lines',
    rules({ rule: 'true', message: 'a\nb' }),
    `Invalid ${RULE}.message: message must not contain line breaks`,
  ],
  [
    'a reason that is none',
    rules({ rule: 'true', reason: 'Because' }),
    `NotSupported ${RULE}.reason: supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
  ],
  [
    'a field path to nowhere',
    rules({ rule: 'true', fieldPath: '.zz' }),
    `Invalid ${RULE}.fieldPath: fieldPath must be a valid path`,
  ],
  [
    'a rule on a field that is not there',
    rules({ rule: 'self.zz > 1' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:6: undefined field 'zz'\n | self.zz > 1\n | .....^`,
  ],
  [
    'has() of a field that is not there',
    rules({ rule: 'has(self.zz)' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:10: undefined field 'zz'\n | has(self.zz)\n | .........^`,
  ],
  [
    'a rule on the wrong type',
    rules({ rule: 'self.n == "a"' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:1: no such overload: int == string\n | self.n == "a"\n | ^`,
  ],
  [
    'a rule with an unknown function',
    rules({ rule: 'self.n.poem()' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:1: found no matching overload for 'int.poem()'\n | self.n.poem()\n | ^`,
  ],
  [
    'a rule with an unknown name',
    rules({ rule: 'authorizer != 1' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n | authorizer != 1\n | ^`,
  ],
  [
    'a rule that does not parse',
    rules({ rule: '1 ==' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:5: unexpected token: EOF\n | 1 ==\n | ....^`,
  ],
  [
    'a rule with a bad pattern',
    rules({ rule: '"a".matches("[")' }),
    `Invalid ${RULE}.rule: compilation failed: ERROR: <input>:1:13: invalid matches argument: error parsing regexp: missing closing ]: \`[\`\n | "a".matches("[")\n | ............^`,
  ],
  [
    'a rule that is a number',
    rules({ rule: 'self.n' }),
    `Invalid ${RULE}.rule: cel expression must evaluate to a bool`,
  ],
  [
    'a message that is a number',
    rules({ rule: 'true', messageExpression: 'self.n' }),
    `Invalid ${RULE}.messageExpression: messageExpression must evaluate to a string`,
  ],
  [
    'optionalOldSelf without oldSelf',
    rules({ rule: 'true', optionalOldSelf: true }),
    `Invalid ${RULE}.optionalOldSelf: may not be set if oldSelf is not used in rule`,
  ],
  [
    'oldSelf in a list',
    { type: 'array', items: { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } },
    `Invalid items.${RULE}.rule: oldSelf cannot be used on the uncorrelatable portion of the schema within crd.properties[spec].properties[x]`,
  ],
  [
    'oldSelf in a list of type map',
    { ...mapList, items: { ...item, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } },
  ],
]

for (const [what, x, ...violations] of ROWS)
  test(what, () =>
    assert.equal(found(kindOf({ properties: { x } }), 'crd.properties[spec].properties[x].'), violations),
  )

const ROOTS: readonly (readonly [what: string, schema: unknown, ...violations: readonly string[]])[] = [
  ['null', null, 'Invalid crd: must be a schema'],
  ['a list', [], 'Invalid crd: must be a schema'],
  ['no type', {}, 'Required crd.type: must not be empty at the root'],
  ['a text', { type: 'string' }, 'Invalid crd.type: must be object at the root'],
  [
    'free keys',
    { type: 'object', additionalProperties: text },
    'Forbidden crd.additionalProperties: must not be used at the root',
  ],
  [
    'names narrowed',
    { type: 'object', properties: { metadata: { type: 'object', properties: { name: { ...text, maxLength: 9 } } } } },
  ],
  [
    'labels narrowed',
    { type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
    'Forbidden crd.properties[metadata]: must not specify anything other than name and generateName, but metadata is implicitly specified',
  ],
  [
    'a kind that is a number',
    { type: 'object', properties: { kind: { type: 'integer' } } },
    'Invalid crd.properties[kind].type: must be string',
  ],
  [
    'a default kind',
    { type: 'object', properties: { kind: { ...text, default: 'A' } } },
    'Forbidden crd.properties[kind].default: must not be set in top-level kind',
  ],
  [
    'a junctor about what is not there',
    { type: 'object', anyOf: [{ properties: { a: { minimum: 1 } } }] },
    'Required crd.properties[a]: because it is defined in crd.anyOf[0].properties[a]',
  ],
]

for (const [what, schema, ...violations] of ROOTS)
  test(`a root: ${what}`, () => assert.equal(found(schema, ''), violations))

function found(schema: unknown, prefix: string): string[] {
  return checkSchema(schema, ['crd']).map(({ path, message, reason = '' }) => {
    const field = path.reduce<string>(
      (text, one) => (typeof one === 'number' ? `${text}[${one}]` : text === '' ? one : `${text}.${one}`),
      '',
    )
    return `${reason.replace('FieldValue', '')} ${field.replace(prefix, '')}: ${message}`
  })
}

test.run()
