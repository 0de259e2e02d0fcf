/** Selectors, pages, versions, watches. */
import { UNITS } from '../api-raw.ts'
import { PODS } from './places.ts'
import { bad, forbidden, invalidPart, type Refusal, type Row, row, unsupported } from './row.ts'

const list = (query: string, refused: Refusal, title = query): Row =>
  row(title.slice(0, 70), `GET ${UNITS}?${query}`, {}, refused)
const labels = (text: string, refused: Refusal): Row =>
  list(`labelSelector=${encodeURIComponent(text)}`, refused, `labels ${text}`)
const label = (text: string, why: string): Row => labels(text, bad(`unable to parse requirement: ${why}`))
const field = (text: string, message: string): Row =>
  list(`fieldSelector=${encodeURIComponent(text)}`, bad(message), `fields ${text}`)
const NAME_PART =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const QUALIFIED =
  "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
const key = (text: string, name: string, why: string) => label(text, `<nil>: Invalid value: "${name}": ${why}`)
const value = (text: string, name: string, why: string) => label(text, `values[0][a]: Invalid value: "${name}": ${why}`)
const integer = (text: string, name: string): Row =>
  label(text, `values[0]: Invalid value: "${name}": for 'Gt', 'Lt' operators, the value must be an integer`)

export const SELECTORS: readonly Row[] = [
  labels('a=b=c', bad("found '=', expected: ',' or 'end of string'")),
  labels('a in (b) c', bad("found 'c', expected: ',' or 'end of string'")),
  labels('a,,b', bad("found ',', expected: identifier after ','")),
  labels('a,', bad("found '', expected: identifier after ','")),
  labels('=b', bad("found '=', expected: !, identifier, or 'end of string'")),
  labels('(a)', bad("found '(', expected: !, identifier, or 'end of string'")),
  label('a in (b', "found '', expected: ',' or ')'"),
  label('a in b)', "found 'b' expected: '('"),
  label('a in b', "found 'b' expected: '('"),
  label('a notin', "found '' expected: '('"),
  label('a in (=', "found '=', expected: ',', ')' or identifier"),
  label('a in (b c)', "found 'c', expected: ',' or ')'"),
  label('a b', "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
  label('a!b', "found '!', expected: in, notin, =, ==, !=, gt, lt"),
  label('a=!', "found '!', expected: identifier"),
  label('!', "found '', expected: identifier"),
  label('!!a', "found '!', expected: identifier"),
  key('A.B/c=d', 'A.B/c', `prefix part ${SUBDOMAIN}`),
  key('-a', '-a', NAME_PART),
  value('a in (-)', '-', VALUE),
  value('a=b.', 'b.', VALUE),
  value(`a=${'x'.repeat(64)}`, 'x'.repeat(64), 'must be no more than 63 characters'),
  key(`${'x'.repeat(64)}`, 'x'.repeat(64), 'name part must be no more than 63 characters'),
  key('a/b/c', 'a/b/c', QUALIFIED),
  key('/a', '/a', 'prefix part must be non-empty'),
  key('b/', 'b/', `name part must be non-empty; ${NAME_PART}`),
  integer('a>b', 'b'),
  integer('a<1.5', '1.5'),
  integer('a<99999999999999999999', '99999999999999999999'),
  list(`labelSelector=${'x'.repeat(20_000)}`, bad('label selector is too long'), 'a label selector too long'),
  field('spec.replicas=1', 'field label not supported: spec.replicas'),
  field('spec.content=x', 'field label not supported: spec.content'),
  field('__proto__=x', 'field label not supported: __proto__'),
  field('metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
  field('metadata.name=a,=', "invalid selector: 'metadata.name=a,='; can't understand '='"),
  field('metadata.name>a', "invalid selector: 'metadata.name>a'; can't understand 'metadata.name>a'"),
  list(`fieldSelector=${'x'.repeat(20_000)}`, bad('field selector is too long'), 'a field selector too long'),
  row(
    'a field of no pod',
    `GET ${PODS}?fieldSelector=spec.image%3Dx`,
    {},
    bad('field label not supported: spec.image'),
  ),
  row(
    'a bad selector of a deletion',
    `DELETE ${UNITS}?labelSelector=a%3Db%3Dc`,
    {},
    bad("found '=', expected: ',' or 'end of string'"),
  ),
]

const count = (name: string, text: string, more = '', problem = 'invalid syntax'): Row =>
  list(
    `${name}=${encodeURIComponent(text)}${more}`,
    bad(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${problem}`),
  )
const version = (text: string): Row =>
  list(`resourceVersion=${text}`, bad(`Invalid value: ${JSON.stringify(text)}: resourceVersion must be a number`))
const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const BAD_TOKEN = bad('continue key is not valid: start a new list without it')
const page = (title: string, text: string): Row =>
  list(`limit=1&continue=${encodeURIComponent(text)}`, BAD_TOKEN, `continue: ${title}`)

export const PAGES: readonly Row[] = [
  ...['x', '--1', '1.5', '1e3', '0x1', ' 1', '1_0'].map((text) => count('limit', text)),
  count('limit', '9223372036854775808', '', 'value out of range'),
  ...['x', '1.5'].map((text) => count('timeoutSeconds', text, '&watch=1')),
  ...['x', '-1', '1.5', '99999999999999999999'].map(version),
  page('no token', 'x'),
  page('no base64', '%%%'),
  page('no JSON', Buffer.from('{').toString('base64url')),
  page('null', token(null)),
  page('a list', token([])),
  page('of another server', token({ v: 'meta.k8s.io/v1', rv: 5, start: 'a' })),
  page('a version that is a number', token({ v: 'flotilla.dev/v1', rv: 5, start: 'a' })),
  page('a version that is none', token({ v: 'flotilla.dev/v1', rv: 'x', start: 'a' })),
  page('a version of the future', token({ v: 'flotilla.dev/v1', rv: '999999999', start: 'a' })),
  page('no start', token({ v: 'flotilla.dev/v1', rv: '5' })),
  page('a start that is an object', token({ v: 'flotilla.dev/v1', rv: '5', start: {} })),
  list('continue=x&resourceVersion=5', bad('specifying resource version is not allowed when using continue')),
]

const MATCH = 'resourceVersionMatch'
const options = (query: string, ...causes: Parameters<typeof invalidPart>[1][]): Row =>
  list(query, invalidPart('ListOptions.meta.k8s.io', ...causes))
const NO_VERSION = forbidden(MATCH, 'resourceVersionMatch is forbidden unless resourceVersion is provided')
const NO_CONTINUE = forbidden(MATCH, 'resourceVersionMatch is forbidden when continue is provided')
const ONLY_INITIAL = forbidden(
  MATCH,
  'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
)
const NEEDS_MATCH = forbidden(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
const NEEDS_BOOKMARKS = forbidden('sendInitialEvents', 'sendInitialEvents requires setting allowWatchBookmarks')
const future = (path: string): Row =>
  row(
    `a version of the future of ${path}`,
    `GET ${path}?resourceVersion=999999`,
    {},
    {
      code: 504,
      reason: 'Timeout',
      message: /^Too large resource version: 999999, current: \d+$/,
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
        retryAfterSeconds: 1,
      },
    },
  )

export const VERSIONS: readonly Row[] = [
  options(`${MATCH}=Exact`, NO_VERSION),
  options(`${MATCH}=Roughly`, NO_VERSION, unsupported(MATCH, 'Roughly', 'Exact', 'NotOlderThan', '')),
  options(`resourceVersion=5&${MATCH}=Roughly`, unsupported(MATCH, 'Roughly', 'Exact', 'NotOlderThan', '')),
  options(
    `resourceVersion=0&${MATCH}=Exact`,
    forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
  ),
  options(`resourceVersion=5&${MATCH}=Exact&continue=x`, NO_CONTINUE),
  options('sendInitialEvents=true', forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')),
  options(`watch=1&resourceVersion=5&${MATCH}=NotOlderThan`, ONLY_INITIAL),
  options(`watch=1&resourceVersion=5&${MATCH}=Exact`, ONLY_INITIAL, unsupported(MATCH, 'Exact', 'NotOlderThan')),
  options('watch=1&sendInitialEvents=true', NEEDS_MATCH, NEEDS_BOOKMARKS),
  options(`watch=1&sendInitialEvents=true&${MATCH}=NotOlderThan`, NEEDS_BOOKMARKS),
  options(`watch=1&sendInitialEvents=false&${MATCH}=Exact`, NEEDS_MATCH, unsupported(MATCH, 'Exact', 'NotOlderThan')),
  list('watch=1&labelSelector=a%3Db%3Dc', bad("found '=', expected: ',' or 'end of string'")),
  list('watch=1&fieldSelector=spec.content%3Dx', bad('field label not supported: spec.content')),
  list('watch=1&resourceVersion=x', bad('Invalid value: "x": resourceVersion must be a number')),
  future(UNITS),
]
