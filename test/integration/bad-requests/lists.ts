/** Selectors, pages, versions, watches. */
import { UNITS } from '../api-raw.ts'
import { PODS } from './places.ts'
import { bad, forbidden, invalidPart, type Refusal, type Row, row, unsupported } from './row.ts'

const list = (query: string, refused: Refusal, title = query): Row =>
  row(title.slice(0, 70), `GET ${UNITS}?${query}`, {}, refused)
const label = (text: string, why: string): Row =>
  list(
    `labelSelector=${encodeURIComponent(text)}`,
    bad(`unable to parse requirement: ${why} in "${text}"`),
    `labels ${text}`,
  )
const field = (text: string, message: string): Row =>
  list(`fieldSelector=${encodeURIComponent(text)}`, bad(message), `fields ${text}`)
const INTEGER = "for 'Gt', 'Lt' operators, the value must be an integer"

export const SELECTORS: readonly Row[] = [
  label('a=b=c', 'invalid label key "a=b=c"'),
  label('a in (b', 'unbalanced parentheses'),
  label('a in b)', 'unbalanced parentheses'),
  label('a in b', 'invalid label key "a in b"'),
  label('a notin', 'invalid label key "a notin"'),
  label('=b', 'invalid label key "=b"'),
  label('a,,b', 'invalid label key ""'),
  label('a,', 'invalid label key ""'),
  label('!', 'invalid label key ""'),
  label('a/b/c', 'invalid label key "a/b/c"'),
  label('A.B/c=d', 'invalid label key "A.B/c"'),
  label('-a', 'invalid label key "-a"'),
  label('a=b c', 'invalid label value "b c"'),
  label('a in (b,-)', 'invalid label value "-"'),
  label(`a=${'x'.repeat(64)}`, `invalid label value "${'x'.repeat(64)}"`),
  label('a>b', INTEGER),
  label('a<1.5', INTEGER),
  list('labelSelector=%00', bad(/^unable to parse requirement: invalid label key/)),
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
    bad('unable to parse requirement: invalid label key "a=b=c" in "a=b=c"'),
  ),
]

const count = (name: string, text: string, more = ''): Row =>
  list(
    `${name}=${encodeURIComponent(text)}${more}`,
    bad(`parameter ${name}: ${JSON.stringify(text)} is no whole number`),
  )
const version = (text: string): Row =>
  list(`resourceVersion=${text}`, bad(`Invalid value: ${JSON.stringify(text)}: resourceVersion must be a number`))
const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const BAD_TOKEN = bad('continue key is not valid: start a new list without it')
const page = (title: string, text: string): Row =>
  list(`limit=1&continue=${encodeURIComponent(text)}`, BAD_TOKEN, `continue: ${title}`)

export const PAGES: readonly Row[] = [
  ...['x', '-1', '1.5', '99999999999', '1e3', '0x1', ' 1'].map((text) => count('limit', text)),
  ...['x', '-1', '1.5'].map((text) => count('timeoutSeconds', text, '&watch=1')),
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
  list('watch=1&labelSelector=a%3Db%3Dc', bad('unable to parse requirement: invalid label key "a=b=c" in "a=b=c"')),
  list('watch=1&fieldSelector=spec.content%3Dx', bad('field label not supported: spec.content')),
  list('watch=1&resourceVersion=x', bad('Invalid value: "x": resourceVersion must be a number')),
  future(UNITS),
]
