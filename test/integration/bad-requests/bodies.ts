/** Bodies that cannot be read, or hold something else than what was asked to be written. */
import { UNITS, unitBody } from '../api-raw.ts'
import { CONFIG_MAPS, PROTOBUF } from './places.ts'
import {
  bad,
  invalid,
  media,
  type Refusal,
  type Row,
  row,
  strict,
  tooLarge,
  typed,
  undecodable,
  unreadable,
} from './row.ts'

const unit = unitBody('new.service')
const post = (title: string, body: unknown, refused: Refusal, type?: string | null): Row =>
  row(title, `POST ${UNITS}`, { body, ...(type !== undefined && { type }) }, refused)
const cannot = (why: RegExp) => unreadable('Unit', new RegExp(`couldn't get version/kind; ${why.source}`))
const NO_OBJECT = bad('the object provided is unrecognized (must be of type Unit): json: the body must be an object')
const YAML = 'application/yaml'
const bomb = `a: &a [${'x,'.repeat(50)}x]\nb: &b [${'*a,'.repeat(50)}*a]\nc: [${'*b,'.repeat(50)}*b]\n`
const deepFlow = `a: ${'['.repeat(2_000)}${']'.repeat(2_000)}\n`

export const BODIES: readonly Row[] = [
  post('no body', '', cannot(/json parse error: Unexpected end of JSON input$/)),
  post('half a body', '{"metadata":', cannot(/json parse error: /)),
  post('no JSON', 'hello', cannot(/json parse error: /)),
  post('JSON with a comma too many', '{"a":1,}', cannot(/json parse error: /)),
  post('JSON and more', '{}{}', cannot(/json parse error: /)),
  post('NaN', '{"a":NaN}', cannot(/json parse error: /)),
  post('bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d]), cannot(/json parse error: /)),
  post('a zero byte', '{"a":1}\u0000', cannot(/json parse error: /)),
  ...['[]', '"x"', 'null', '7', 'true'].map((text) => post(text, text, NO_OBJECT)),
  post(
    'nesting beyond reason',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    cannot(/json parse error: nested deeper than 128 levels$/),
  ),
  post(
    'nesting of objects',
    `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    cannot(/json parse error: nested deeper than 128 levels$/),
  ),
  post('a million values', `[${'1,'.repeat(1_000_000)}1]`, cannot(/json parse error: more than 50000 values$/)),
  post('a body beyond 3 MiB', ' '.repeat(3 * 1024 * 1024 + 1), tooLarge('limit is 3145728')),
  post('YAML that is none', 'a: [', cannot(/yaml parse error: /), YAML),
  post('two YAML documents', 'a: 1\n---\nb: 2\n', cannot(/yaml parse error: expected one document, found 2$/), YAML),
  post('no YAML document', '', NO_OBJECT, YAML),
  post('a YAML bomb', bomb, cannot(/yaml parse error: Excessive alias count/), YAML),
  post('a YAML alias to nothing', 'a: *b\n', cannot(/yaml parse error: /), YAML),
  post('YAML nested beyond reason', deepFlow, cannot(/(yaml|json) parse error: /), YAML),
  post('YAML with tabs', 'a:\n\tb: 1\n', cannot(/yaml parse error: /), YAML),
  post('YAML beyond 256 KiB', `a: ${'x'.repeat(300_000)}`, tooLarge('limit is 262144'), YAML),
]

const MEDIA = media('application/json', YAML, PROTOBUF)
const envelope = (apiVersion: string, kind: string) =>
  Buffer.from(
    `k8s\0\n${String.fromCharCode(apiVersion.length + kind.length + 4)}\n${String.fromCharCode(apiVersion.length)}${apiVersion}\x12${String.fromCharCode(kind.length)}${kind}`,
  )

export const TYPES: readonly Row[] = [
  ...['text/xml', 'application/x-www-form-urlencoded', 'application/cbor', 'text/plain', 'multipart/form-data'].map(
    (type) => post(`a body of ${type}`, 'a=b', MEDIA, type),
  ),
  post('a media type that is none', 'a=b', MEDIA, 'json'),
  post('protobuf without the magic', Buffer.from('hello'), bad(/^protobuf parse error: /), PROTOBUF),
  post('no protobuf', Buffer.alloc(0), bad(/^protobuf parse error: /), PROTOBUF),
  post(
    'protobuf that says nothing',
    Buffer.from('k8s\0'),
    bad('protobuf parse error: it does not say its apiVersion and kind'),
    PROTOBUF,
  ),
  post('protobuf that ends too early', Buffer.from('k8s\0\n\x7f'), bad(/^protobuf parse error: /), PROTOBUF),
  post(
    'protobuf of another kind',
    envelope('v1', 'ConfigMap'),
    bad(/^the API version in the data \(v1, Kind=ConfigMap\) does not match the expected API version/),
    PROTOBUF,
  ),
  post(
    'protobuf of a kind that has no table',
    envelope('v1', 'Gadget'),
    { code: 415, reason: 'UnsupportedMediaType', message: /^Gadget \(v1\) cannot be read as protobuf here: send JSON/ },
    PROTOBUF,
  ),
  row(
    'protobuf at a kind that is not served',
    'POST /api/v1/namespaces/default/gadgets',
    { type: PROTOBUF, body: envelope('v1', 'Gadget') },
    {
      code: 415,
      reason: 'UnsupportedMediaType',
      message: 'Gadget (v1) is not a kind that this server serves',
    },
  ),
]

const mismatch = (apiVersion: string, kind: string) =>
  bad(
    `the API version in the data (${apiVersion}, Kind=${kind}) does not match the expected API version (flotilla.dev/v1, Kind=Unit)`,
  )
const twice = JSON.stringify(unit).replace('"kind"', '"kind":"Unit","kind"')
const unstrict = (title: string, body: unknown, ...strays: string[]) =>
  row(title, `POST ${UNITS}?fieldValidation=Strict`, { body }, strict('Unit', ...strays))
const map = (title: string, body: object, why: string) =>
  row(title, `POST ${CONFIG_MAPS}`, { body: { metadata: { name: 'm' }, ...body } }, undecodable('ConfigMap', why))

export const FIELDS: readonly Row[] = [
  post('another kind', { ...unit, kind: 'Pod' }, mismatch('flotilla.dev/v1', 'Pod')),
  post('another version', { ...unit, apiVersion: 'flotilla.dev/v2' }, mismatch('flotilla.dev/v2', 'Unit')),
  post('another group', { ...unit, apiVersion: 'v1' }, mismatch('v1', 'Unit')),
  unstrict('an unknown field', unitBody('new.service', { bogus: 1 }), 'unknown field "spec.bogus"'),
  unstrict('an unknown field at the top', { ...unit, bogus: 1 }, 'unknown field "bogus"'),
  unstrict('an unknown field of metadata', unitBody('new.service', {}, { bogus: 1 }), 'unknown field "metadata.bogus"'),
  unstrict(
    'two unknown fields',
    unitBody('new.service', { b: 1, a: 1 }),
    'unknown field "spec.b"',
    'unknown field "spec.a"',
  ),
  unstrict('a duplicate field', twice, 'duplicate field "kind"'),
  unstrict(
    'a field of every object',
    '{"metadata":{"name":"a.service"},"spec":{"content":"[Service]","constructor":1}}',
    'unknown field "spec.constructor"',
  ),
  map(
    'a text for a map',
    { data: 'x' },
    'json: cannot unmarshal string into Go struct field ConfigMap.data of type object',
  ),
  map(
    'a number for a text',
    { data: { a: 1 } },
    'json: cannot unmarshal number into Go struct field ConfigMap.data.a of type string',
  ),
  map(
    'a list for a map',
    { data: [] },
    'json: cannot unmarshal array into Go struct field ConfigMap.data of type object',
  ),
  map(
    'a text for a truth',
    { immutable: 'yes' },
    'json: cannot unmarshal string into Go struct field ConfigMap.immutable of type boolean',
  ),
  map('bytes that are no base64', { binaryData: { a: '%' } }, 'illegal base64 data at input byte 0'),
  post(
    'a label that is a number',
    unitBody('new.service', {}, { labels: { a: 1 } }),
    invalid('Unit.flotilla.dev', 'new.service', typed('metadata.labels.a', 'integer', 'string')),
  ),
  post(
    'labels that are a list',
    unitBody('new.service', {}, { labels: ['a'] }),
    invalid('Unit.flotilla.dev', 'new.service', typed('metadata.labels', 'array', 'object')),
  ),
]
