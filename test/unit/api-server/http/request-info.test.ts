import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { negotiate } from '../../../../api-server/http/negotiate.ts'
import { parseResourcePath, verbOf } from '../../../../api-server/http/request-info.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { ServedKinds } from '../../../../api-server/registry/served-kinds.ts'
import { KINDS } from '../../../../crds/index.ts'

const test = suite('what a request is about')

const kinds = new ServedKinds(KINDS)

/** Path → `kind namespace name subresource`, with a w in front for the old watch paths. */
const PATHS: readonly (readonly [string, string | undefined])[] = [
  ['/apis/flotilla.dev/v1/units', 'Unit - - -'],
  ['/apis/flotilla.dev/v1/units/web@1.service', 'Unit - web@1.service -'],
  ['/apis/flotilla.dev/v1/units/a%5Cx2db.service', 'Unit - a\\x2db.service -'],
  ['/apis/flotilla.dev/v1/units/a.service/status', 'Unit - a.service status'],
  ['/apis/flotilla.dev/v1/units/a.service/any/thing', 'Unit - a.service any/thing'],
  ['/apis/flotilla.dev/v1/watch/units/a.service', 'w Unit - a.service -'],
  ['/api/v1/namespaces', 'Namespace - - -'],
  ['/api/v1/namespaces/default', 'Namespace - default -'],
  ['/api/v1/namespaces/default/finalize', 'Namespace - default finalize'],
  ['/api/v1/namespaces/default/events', 'Event default - -'],
  ['/api/v1/events', 'Event - - -'],
  ['/api/v1/watch/namespaces/default/events/e1', 'w Event default e1 -'],
  ['/apis/coordination.k8s.io/v1/namespaces/a/leases/b', 'Lease a b -'],
  ['/apis/coordination.k8s.io/v1/leases/b', undefined],
  ['/apis/flotilla.dev/v1/namespaces/a/units', undefined],
  ['/apis/flotilla.dev/v1/units/', undefined],
  ['/apis/flotilla.dev/v1/boats', undefined],
  ['/apis/flotilla.dev', undefined],
  ['/api', undefined],
  ['/api/', undefined],
  ['/apis/__proto__/v1/units', undefined],
]

for (const [path, expected] of PATHS)
  test(`${path} is ${expected ?? 'nothing that is served'}`, () => {
    const found = parseResourcePath(path, kinds)
    const { kind, namespace = '-', name = '-', subresource = '-', watchPath } = found ?? {}
    const told = kind && `${watchPath ? 'w ' : ''}${kind.kind} ${namespace} ${name} ${subresource}`
    assert.is(told, expected)
  })

for (const segment of ['..', '.', '%2e%2e', 'a%2fb', '%00', '%0a', '%252e', '%', '%zz', '%ff', 'x'.repeat(254)])
  test(`a segment ${segment.slice(0, 8)} is refused with 400`, () => {
    assert.is(
      codeOf(() => parseResourcePath(`/apis/flotilla.dev/v1/units/${segment}`, kinds)),
      400,
    )
  })

const UNITS = '/apis/flotilla.dev/v1/units'
const VERBS: readonly (readonly [string, string | number])[] = [
  [`GET ${UNITS}`, 'list'],
  [`HEAD ${UNITS}`, 'list'],
  [`GET ${UNITS}?watch=true`, 'watch'],
  [`GET ${UNITS}?watch=1`, 'watch'],
  [`GET ${UNITS}?watch=0`, 'list'],
  [`GET ${UNITS}/a?watch=1`, 'get'],
  ['GET /apis/flotilla.dev/v1/watch/units', 'watch'],
  ['HEAD /apis/flotilla.dev/v1/watch/units', 405],
  ['POST /apis/flotilla.dev/v1/watch/units', 405],
  ['DELETE /apis/flotilla.dev/v1/watch/units/a', 405],
  ['GET /apis/flotilla.dev/v1/watch/units/a/status', 405],
  [`POST ${UNITS}`, 'create'],
  [`POST ${UNITS}/a`, 405],
  [`POST ${UNITS}/a/binding`, 'create'],
  [`PUT ${UNITS}/a`, 'update'],
  [`PUT ${UNITS}`, 400],
  [`PATCH ${UNITS}/a`, 'patch'],
  [`PATCH ${UNITS}`, 405],
  [`DELETE ${UNITS}/a`, 'delete'],
  [`DELETE ${UNITS}`, 'deletecollection'],
  [`OPTIONS ${UNITS}`, 405],
  [`TRACE ${UNITS}`, 405],
]

for (const [request, expected] of VERBS)
  test(`${request} is ${expected}`, () => {
    const [method = '', url = ''] = request.split(' ')
    const [path = '', search = ''] = url.split('?')
    const target = parseResourcePath(path, kinds)
    assert.ok(target)
    const verb = () => verbOf(method, target, new URLSearchParams(search))
    assert.is(typeof expected === 'number' ? codeOf(verb) : verb(), expected)
  })

const FORMS: readonly (readonly [string | undefined, string | number])[] = [
  [undefined, 'object'],
  ['', 'object'],
  ['*/*', 'object'],
  ['application/json', 'object'],
  ['application/json, */*;q=0.8', 'object'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'table'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'object'],
  ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'partial'],
  ['application/json;as=constructor', 406],
  ['application/vnd.kubernetes.protobuf', 'object'],
  ['application/vnd.kubernetes.protobuf,application/json', 'object'],
  ['text/html', 406],
]

for (const [accept, form] of FORMS)
  test(`Accept: ${accept} is answered as ${form}`, () => {
    const negotiated = () => negotiate(accept)
    assert.is(typeof form === 'number' ? codeOf(negotiated) : negotiated(), form)
  })

function codeOf(run: () => unknown): number {
  try {
    return assert.unreachable(JSON.stringify(run())) as never
  } catch (error) {
    if (error instanceof StatusError) return error.status.code
    throw error
  }
}

test.run()
