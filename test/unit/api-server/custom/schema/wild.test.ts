/** Schemas and rules as they are written out there: our own definitions, and rules in the manner of Gateway API's. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { checkSchema, compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('schemas from the wild')
const folder = join(import.meta.dirname, '../../../../../manifests/crds')

for (const file of readdirSync(folder))
  test(`our own ${file}`, () => {
    const [version] = parse(readFileSync(join(folder, file), 'utf8')).spec.versions
    assert.equal(checkSchema(version.schema.openAPIV3Schema, ['crd']), [])
    compileSchema(version.schema.openAPIV3Schema)
  })

const text = { type: 'string' }
const reference = {
  type: 'object',
  properties: {
    group: { ...text, default: '' },
    kind: text,
    name: text,
    namespace: text,
    sectionName: text,
    port: { type: 'integer' },
  },
  required: ['name'],
}
const filter = {
  type: 'object',
  properties: { type: text, requestRedirect: { type: 'object', properties: { path: text } } },
}
const PROPERTIES = {
  parents: { type: 'array', items: reference },
  backend: reference,
  filters: { type: 'array', items: filter },
  backends: { type: 'array', items: reference },
  path: { type: 'object', properties: { type: { ...text, default: 'PathPrefix' }, value: { ...text, default: '/' } } },
  request: text,
  backendRequest: text,
  addresses: { type: 'array', items: { type: 'object', properties: { type: text, value: text } } },
}
const VALUE = {
  parents: [
    { group: 'g', kind: 'Gateway', name: 'a', sectionName: 'x' },
    { group: 'g', kind: 'Gateway', name: 'a', sectionName: 'y' },
  ],
  backend: { group: '', kind: 'Service', name: 'web', port: 80 },
  filters: [{ type: 'RequestRedirect', requestRedirect: { path: '/' } }],
  path: { type: 'Exact', value: '/a%20b' },
  request: '10s',
  backendRequest: '2s',
  addresses: [{ type: 'IPAddress', value: '10.0.0.1' }],
}

const RULES: readonly string[] = [
  `self.parents.all(p1, self.parents.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__)) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))`,
  `self.parents.all(p1, self.parents.exists_one(p2, p1.name == p2.name && p1.sectionName == p2.sectionName))`,
  `(size(self.backend.group) == 0 && self.backend.kind == 'Service') ? has(self.backend.port) : true`,
  `(!has(self.backends) || self.backends.size() == 0) ? true : (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect)))`,
  `!(self.filters.exists(f, f.type == 'RequestRedirect') && self.filters.exists(f, f.type == 'URLRewrite'))`,
  `self.filters.filter(f, f.type == 'RequestRedirect').size() <= 1`,
  `(self.path.type in ['PathPrefix', 'Exact']) ? self.path.value.startsWith('/') && !self.path.value.contains('//') : true`,
  `self.path.type != 'Exact' || self.path.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""")`,
  `!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))`,
  `self.addresses.all(a1, a1.type == 'IPAddress' ? self.addresses.exists_one(a2, a2.type == a1.type && a2.value == a1.value) : true)`,
  `self.addresses.all(a, a.type == 'Hostname' || isIP(a.value) && ip(a.value).family() == 4)`,
  `has(self.backend) != has(self.backends)`,
]

for (const rule of RULES)
  test(rule.slice(0, 80), () => {
    const schema = kindOf({ properties: PROPERTIES, 'x-kubernetes-validations': [{ rule, message: 'no' }] })
    assert.equal(checkSchema(schema, ['crd']), [])
    const object = objectOf(structuredClone(VALUE))
    const compiled = compileSchema(schema)
    compiled.fillDefaults(object)
    assert.equal(compiled.check(object, undefined), [])
  })

test.run()
