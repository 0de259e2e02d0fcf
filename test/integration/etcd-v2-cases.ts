/**
 * The table of written cases. Each is a list of requests that both servers get in this order, on one connection, on a
 * store that all earlier cases have changed: indices count on. `METHOD target [body]`, the body sent as a form.
 * Its data, one line a case, is what makes this file long.
 */
export interface Case {
  readonly promise: string
  readonly requests: readonly string[]
  /** Header of the requests with a body, where it is not the form's. */
  readonly contentType?: string
}

const one = (promise: string, ...requests: string[]): Case => ({ promise, requests })

const sets: readonly Case[] = [
  one('a set makes a key', 'PUT /v2/keys/s1 value=a', 'GET /v2/keys/s1'),
  one('a second set replaces it', 'PUT /v2/keys/s1 value=b', 'GET /v2/keys/s1'),
  one('a set of the same value counts', 'PUT /v2/keys/s1 value=b', 'PUT /v2/keys/s1 value=b'),
  one(
    'a set makes the directories above',
    'PUT /v2/keys/s2/a/b/c value=x',
    'GET /v2/keys/s2?recursive=true&sorted=true',
  ),
  one('no value is an empty value', 'PUT /v2/keys/s3', 'GET /v2/keys/s3'),
  one('a set on a directory is refused', 'PUT /v2/keys/s2 value=x', 'PUT /v2/keys/s2/a value=x'),
  one('a set of a directory over a directory is refused', 'PUT /v2/keys/s2 dir=true'),
  one('a set of a directory', 'PUT /v2/keys/s4?dir=true', 'GET /v2/keys/s4'),
  one('a directory replaces a file', 'PUT /v2/keys/s5 value=f', 'PUT /v2/keys/s5 dir=true', 'GET /v2/keys/s5'),
  one('a directory ignores its value', 'PUT /v2/keys/s6 dir=true&value=x', 'GET /v2/keys/s6'),
  one(
    'a file in the way',
    'PUT /v2/keys/s7 value=f',
    'PUT /v2/keys/s7/x/y value=z',
    'GET /v2/keys/s7/x/y',
    'DELETE /v2/keys/s7/x',
  ),
  one(
    'the root cannot be set',
    'PUT /v2/keys value=x',
    'PUT /v2/keys/ value=x',
    'PUT /v2/keys?dir=true',
    'PUT /v2/keys/?dir=false value=',
  ),
  one('an empty value by form and by query', 'PUT /v2/keys/s8 value=', 'PUT /v2/keys/s8?value=q', 'GET /v2/keys/s8'),
  one('the form wins over the query', 'PUT /v2/keys/s9?value=query value=form', 'GET /v2/keys/s9'),
  one('the first of two values counts', 'PUT /v2/keys/s10 value=1&value=2', 'PUT /v2/keys/s10?value=3&value=4'),
  one('plus and %20 are spaces in values', 'PUT /v2/keys/s11 value=a+b%20c%2Bd'),
  one('markup is escaped', 'PUT /v2/keys/s12 value=%3Ca%3E%26%22%5C%2F%27', 'GET /v2/keys/s12'),
  one('control characters', 'PUT /v2/keys/s13 value=%00%01%08%09%0A%0B%0C%0D%1F%7F', 'GET /v2/keys/s13'),
  one(
    'unicode and separators',
    'PUT /v2/keys/s14 value=%C3%A9%E2%82%AC%F0%9F%9A%A2%E2%80%A8%E2%80%A9',
    'GET /v2/keys/s14',
  ),
  one(
    'bytes that are not UTF-8',
    'PUT /v2/keys/s15 value=%FF%C3%28%E2%82%ED%A0%80%F0%9F',
    'GET /v2/keys/s15',
    'PUT /v2/keys/s15?prevValue=%FF value=x',
  ),
  one(
    'bytes that are not UTF-8 can be compared',
    'PUT /v2/keys/s16 value=%FF%FE',
    'PUT /v2/keys/s16?prevValue=%FF%FE value=x',
  ),
  one('U+FFFD itself', 'PUT /v2/keys/s17 value=%EF%BF%BD', 'PUT /v2/keys/s17 value=%C0%80%F5%80%F4%90%80%80'),
]

const creates: readonly Case[] = [
  one(
    'a create makes a key once',
    'PUT /v2/keys/c1?prevExist=false value=a',
    'PUT /v2/keys/c1?prevExist=false value=b',
  ),
  one(
    'a create over a directory',
    'PUT /v2/keys/c2 dir=true',
    'PUT /v2/keys/c2?prevExist=false value=x',
    'PUT /v2/keys/c2?prevExist=false&dir=true',
  ),
  one('a create makes directories', 'PUT /v2/keys/c3/a/b?prevExist=false value=x', 'GET /v2/keys/c3?recursive=true'),
  one('a create of a directory', 'PUT /v2/keys/c4?prevExist=false&dir=true', 'GET /v2/keys/c4'),
  one('a create ignores prevValue and prevIndex', 'PUT /v2/keys/c5?prevExist=false&prevValue=q&prevIndex=9 value=x'),
  one('a create below a file', 'PUT /v2/keys/c5/x?prevExist=false value=y'),
  one('a create of the root', 'PUT /v2/keys?prevExist=false value=y', 'PUT /v2/keys/?prevExist=false&dir=true'),
]

const updates: readonly Case[] = [
  one('an update of nothing', 'PUT /v2/keys/u0?prevExist=true value=a', 'PUT /v2/keys/u0/x/y?prevExist=true value=a'),
  one(
    'an update keeps the creation',
    'PUT /v2/keys/u1 value=a',
    'PUT /v2/keys/u1?prevExist=true value=b',
    'GET /v2/keys/u1',
  ),
  one('an update without a value empties', 'PUT /v2/keys/u1?prevExist=true', 'GET /v2/keys/u1'),
  one('an update of a directory with a value', 'PUT /v2/keys/u2 dir=true', 'PUT /v2/keys/u2?prevExist=true value=x'),
  one(
    'an update of a directory shows an index it does not keep',
    'PUT /v2/keys/u2?prevExist=true',
    'GET /v2/keys/u2',
    'PUT /v2/keys/u2?prevExist=true&dir=true',
    'GET /v2/keys/u2',
  ),
  one(
    'an update of a directory sets its ttl',
    'PUT /v2/keys/u2?prevExist=true ttl=300',
    'GET /v2/keys/u2',
    'PUT /v2/keys/u2/in value=x',
    'GET /v2/keys/u2?recursive=true',
    'PUT /v2/keys/u2?prevExist=true',
  ),
  one(
    'dir=true on a file blanks it',
    'PUT /v2/keys/u1 value=a',
    'PUT /v2/keys/u1?prevExist=true&dir=true',
    'GET /v2/keys/u1',
  ),
  one('an update of the root', 'PUT /v2/keys?prevExist=true value=x', 'PUT /v2/keys/?prevExist=true'),
  one('an update below a file', 'PUT /v2/keys/u1/x?prevExist=true value=x'),
]

const swaps: readonly Case[] = [
  one(
    'a swap of nothing',
    'PUT /v2/keys/w0?prevValue=a value=b',
    'PUT /v2/keys/w0?prevIndex=1 value=b',
    'PUT /v2/keys/w0/x?prevExist=true&prevIndex=7 value=b',
  ),
  one(
    'a swap by value',
    'PUT /v2/keys/w1 value=a',
    'PUT /v2/keys/w1?prevValue=a value=b',
    'PUT /v2/keys/w1?prevValue=a value=c',
    'GET /v2/keys/w1',
  ),
  one('a swap by index that is wrong', 'PUT /v2/keys/w1?prevIndex=1 value=c'),
  one('a swap by both, both wrong', 'PUT /v2/keys/w1?prevIndex=1&prevValue=q value=c'),
  one('a swap by both, one wrong', 'PUT /v2/keys/w1?prevIndex=1&prevValue=b value=c'),
  one(
    'a swap with prevExist=true',
    'PUT /v2/keys/w1?prevExist=true&prevValue=b value=d',
    'PUT /v2/keys/w1?prevExist=true&prevValue=zz value=e',
  ),
  one('a swap without a value empties', 'PUT /v2/keys/w1?prevValue=d', 'GET /v2/keys/w1'),
  one(
    'a swap of a directory',
    'PUT /v2/keys/w2 dir=true',
    'PUT /v2/keys/w2?prevValue=a value=b',
    'PUT /v2/keys/w2?prevIndex=1',
  ),
  one('a swap of the root', 'PUT /v2/keys?prevValue=a value=b', 'PUT /v2/keys/?prevIndex=4 value=b'),
  one('prevIndex=0 is no condition', 'PUT /v2/keys/w3 value=a', 'PUT /v2/keys/w3?prevIndex=0 value=b'),
  one('the condition in the form', 'PUT /v2/keys/w3 value=c&prevValue=b', 'PUT /v2/keys/w3 value=c&prevValue=b'),
  one('a swap below a file', 'PUT /v2/keys/w3/x?prevValue=a value=b'),
  one('a prevIndex beyond what numbers hold', 'PUT /v2/keys/w3?prevIndex=18446744073709551615 value=b'),
  one('causes are escaped', 'PUT /v2/keys/w4 value=%3C%22%FF', 'PUT /v2/keys/w4?prevValue=%3E%5C value=x'),
]

const posts: readonly Case[] = [
  one('in-order keys', 'POST /v2/keys/p1 value=a', 'POST /v2/keys/p1 value=b', 'GET /v2/keys/p1?sorted=true'),
  one('an in-order directory', 'POST /v2/keys/p1 dir=true', 'GET /v2/keys/p1?sorted=true&recursive=true'),
  one('in-order keys at the root', 'POST /v2/keys value=a', 'POST /v2/keys/ value=b'),
  one('in-order keys in a file', 'PUT /v2/keys/p2 value=f', 'POST /v2/keys/p2 value=a'),
  one('in-order keys ignore conditions', 'POST /v2/keys/p1?prevExist=true&prevValue=x&prevIndex=3 value=a'),
  one('in-order with a trailing slash', 'POST /v2/keys/p1/ value=c'),
  one('in-order without a body', 'POST /v2/keys/p3'),
  one('in-order with a ttl', 'POST /v2/keys/p4 value=a&ttl=200', 'GET /v2/keys/p4?recursive=true'),
]

const deletes: readonly Case[] = [
  one(
    'a delete of nothing',
    'DELETE /v2/keys/d0',
    'DELETE /v2/keys/d0?recursive=true',
    'DELETE /v2/keys/d0/x?dir=true',
  ),
  one('a delete of a file', 'PUT /v2/keys/d1 value=a', 'DELETE /v2/keys/d1', 'GET /v2/keys/d1'),
  one(
    'dir and recursive do a file no harm',
    'PUT /v2/keys/d1 value=a',
    'DELETE /v2/keys/d1?dir=true',
    'PUT /v2/keys/d1 value=a',
    'DELETE /v2/keys/d1?recursive=true',
  ),
  one('a directory needs dir', 'PUT /v2/keys/d2 dir=true', 'DELETE /v2/keys/d2', 'DELETE /v2/keys/d2?dir=true'),
  one(
    'a full directory needs recursive',
    'PUT /v2/keys/d3/a value=x',
    'DELETE /v2/keys/d3',
    'DELETE /v2/keys/d3?dir=true',
    'DELETE /v2/keys/d3?recursive=true',
    'GET /v2/keys/d3/a',
  ),
  one(
    'hidden children count',
    'PUT /v2/keys/d4/_h value=x',
    'GET /v2/keys/d4',
    'DELETE /v2/keys/d4?dir=true',
    'DELETE /v2/keys/d4?recursive=true',
  ),
  one(
    'a whole tree is one event',
    'PUT /v2/keys/d5/a/b/c value=1',
    'PUT /v2/keys/d5/a/d value=2',
    'DELETE /v2/keys/d5?recursive=true',
    'PUT /v2/keys/d5 value=n',
  ),
  one('a delete of the root', 'DELETE /v2/keys?recursive=true', 'DELETE /v2/keys/', 'DELETE /v2/keys?dir=true'),
  one(
    'a delete if the value is',
    'PUT /v2/keys/d6 value=a',
    'DELETE /v2/keys/d6?prevValue=b',
    'DELETE /v2/keys/d6?prevValue=a',
    'DELETE /v2/keys/d6?prevValue=a',
  ),
  one(
    'a delete if the index is',
    'PUT /v2/keys/d6 value=a',
    'DELETE /v2/keys/d6?prevIndex=2',
    'DELETE /v2/keys/d6?prevIndex=2&prevValue=q',
  ),
  one(
    'a conditional delete of a directory',
    'PUT /v2/keys/d7 dir=true',
    'DELETE /v2/keys/d7?prevValue=a',
    'DELETE /v2/keys/d7?prevIndex=1&recursive=true&dir=true',
  ),
  one('a conditional delete of the root', 'DELETE /v2/keys?prevValue=a', 'DELETE /v2/keys/?prevIndex=1'),
  one(
    'prevExist is ignored, but must be right',
    'PUT /v2/keys/d8 value=a',
    'DELETE /v2/keys/d8?prevExist=false',
    'DELETE /v2/keys/d8?prevExist=maybe',
  ),
  one('a body does not matter', 'PUT /v2/keys/d9 value=a', 'DELETE /v2/keys/d9 prevValue=b'),
  one(
    'a directory goes and comes again',
    'PUT /v2/keys/d10/a value=1',
    'DELETE /v2/keys/d10?recursive=true',
    'PUT /v2/keys/d10/b value=2',
    'GET /v2/keys/d10?recursive=true',
  ),
]

const gets: readonly Case[] = [
  one('a key that is not there', 'GET /v2/keys/g0', 'GET /v2/keys/g0/a/b', 'HEAD /v2/keys/g0'),
  one(
    'a listing is one level deep',
    'PUT /v2/keys/g1/a/b value=1',
    'PUT /v2/keys/g1/c value=2',
    'GET /v2/keys/g1?sorted=true',
    'GET /v2/keys/g1/?sorted=true',
  ),
  one('a recursive listing', 'GET /v2/keys/g1?sorted=true&recursive=true', 'GET /v2/keys/g1?recursive=true'),
  one('HEAD has the head of a get', 'HEAD /v2/keys/g1/c', 'HEAD /v2/keys/g1?recursive=true&sorted=true'),
  one(
    'quorum changes nothing',
    'GET /v2/keys/g1/c?quorum=true',
    'GET /v2/keys/g1?quorum=true&recursive=true&sorted=true',
    'GET /v2/keys/g0?quorum=true',
  ),
  one('quorum and wait is a plain get', 'GET /v2/keys/g1/c?quorum=true&wait=true'),
  one('stream and waitIndex without wait', 'GET /v2/keys/g1/c?stream=true', 'GET /v2/keys/g1/c?waitIndex=4'),
  one(
    'hidden keys are left out above',
    'PUT /v2/keys/g2/_h/a value=1',
    'PUT /v2/keys/g2/v value=2',
    'GET /v2/keys/g2?recursive=true',
    'GET /v2/keys/g2/_h?recursive=true',
    'GET /v2/keys/g2/_h/a',
  ),
  one(
    'a hidden directory lists what is not hidden',
    'PUT /v2/keys/_g3/a/b value=1',
    'PUT /v2/keys/_g3/_c value=1',
    'GET /v2/keys/_g3?recursive=true',
    'GET /v2/keys/_g3',
  ),
  one(
    'siblings sort as bytes',
    'PUT /v2/keys/g4/b value=1',
    'PUT /v2/keys/g4/B value=1',
    'PUT /v2/keys/g4/a-b value=1',
    'PUT /v2/keys/g4/a/x value=1',
    'PUT /v2/keys/g4/%C3%A9 value=1',
    'PUT /v2/keys/g4/%F0%9F%9A%A2 value=1',
    'PUT /v2/keys/g4/%EF%BD%81 value=1',
    'GET /v2/keys/g4?sorted=true&recursive=true',
  ),
  one('unknown parameters', 'GET /v2/keys/g1/c?consistent=true&x=y', 'GET /v2/keys/g1/c?'),
  one("the parameters of Go's client", 'GET /v2/keys/g1/c?quorum=false&recursive=false&sorted=false'),
]

const paths: readonly Case[] = [
  one('an escaped slash separates', 'PUT /v2/keys/k1%2Fa value=1', 'GET /v2/keys/k1/a'),
  one('a trailing slash is dropped', 'PUT /v2/keys/k2/ value=1', 'GET /v2/keys/k2/', 'GET /v2/keys/k2'),
  one(
    'an unclean path moves, for every method',
    'GET /v2/keys//k2',
    'PUT /v2/keys//k2?value=1',
    'HEAD /v2/keys/./k2',
    'DELETE /v2/keys/a/../k2',
    'POST /v2//keys/k2 value=1',
    'GET //v2/keys/k2?recursive=true&x=%2F',
    'GET /v2/keys/k2/.',
    'GET /v2/keys/k2/..',
  ),
  one(
    'escapes can make a path unclean',
    'GET /v2/keys/k2%2F%2Fx',
    'GET /v2/keys/%2E%2E/x',
    'GET /v2/keys/%2e/%22%3C%3E%26',
  ),
  one('a moved path is escaped again', 'GET /v2/keys//a%20b%C3%A9;c,d:e@f!g(h)i*j%27%25%3F', 'GET /v2/keys//a+b=c$d~e'),
  one('a plus is a plus', 'PUT /v2/keys/k3/a+b value=1', 'GET /v2/keys/k3?recursive=true'),
  one(
    'keys hold any byte',
    'PUT /v2/keys/k4/%00%01%7F value=1',
    'PUT /v2/keys/k4/%FF%C3 value=1',
    'PUT /v2/keys/k4/a%20%22%2A%3C%5C value=1',
    'GET /v2/keys/k4?recursive=true&sorted=true',
  ),
  one(
    'dots in names',
    'PUT /v2/keys/k5/..a value=1',
    'PUT /v2/keys/k5/... value=1',
    'PUT /v2/keys/k5/.a value=1',
    'GET /v2/keys/k5?sorted=true',
  ),
  one('other characters', "PUT /v2/keys/k6/a:b@c!d$e'f(g)h*i,j=k~l value=1", 'GET /v2/keys/k6?recursive=true'),
  one('a file on the way, with a slash', 'PUT /v2/keys/k7 value=1', 'GET /v2/keys/k7/', 'GET /v2/keys/k7/a/'),
  one('case counts', 'PUT /v2/keys/k8 value=1', 'GET /v2/keys/K8', 'GET /V2/keys/k8'),
  one(
    'unknown paths',
    'GET /',
    'GET /v2',
    'GET /v2/',
    'GET /v2/keysfoo',
    'GET /v2/version',
    'POST /v2/stats value=1',
    'GET /v2/machines/',
    'HEAD /nowhere',
    'PUT /v2/auth value=1',
    'GET /version/',
  ),
  one(
    'methods',
    'PATCH /v2/keys/k8',
    'TRACE /v2/keys/k8',
    'POST /version',
    'HEAD /version',
    'PUT /v2/stats/self',
    'POST /v2/machines',
    'HEAD /v2/members',
  ),
  one('version and health', 'GET /version', 'GET /health'),
]

const BOOLEANS = ['recursive', 'sorted', 'wait', 'dir', 'quorum', 'stream', 'prevExist', 'refresh', 'noValueOnSuccess']
const BAD_BOOLEANS = ['yes', '', 'TRUe', '2', ' true', 'true ']
const BAD_NUMBERS = ['a', '', '-1', '+1', '1.5', '0x10', ' 1', '18446744073709551616', '1e3', '1_0']

const validation: readonly Case[] = [
  ...BOOLEANS.map((name) =>
    one(
      `${name} must be a boolean`,
      ...BAD_BOOLEANS.map((bad) => `GET /v2/keys/v?${name}=${bad.replaceAll(' ', '%20')}`),
      `PUT /v2/keys/v ${name}=maybe`,
      `GET /v2/keys/v?${name}`,
    ),
  ),
  ...['prevIndex', 'waitIndex'].map((name) =>
    one(
      `${name} must be a number`,
      ...BAD_NUMBERS.map((bad) => `GET /v2/keys/v?${name}=${bad.replaceAll(' ', '%20').replaceAll('+', '%2B')}`),
      `GET /v2/keys/v?${name}=00000000000000000000000000001`,
    ),
  ),
  one(
    'ttl must be a number',
    ...BAD_NUMBERS.filter((bad) => bad !== '').map(
      (bad) => `PUT /v2/keys/v1 value=x&ttl=${bad.replaceAll(' ', '%20').replaceAll('+', '%2B')}`,
    ),
  ),
  one(
    'booleans in all their spellings',
    ...['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'].map(
      (good) => `GET /v2/keys/g1?sorted=true&recursive=${good}`,
    ),
  ),
  one('an empty ttl is none', 'PUT /v2/keys/v2 value=x&ttl='),
  one(
    'prevValue must not be empty',
    'GET /v2/keys/v?prevValue=',
    'PUT /v2/keys/v?prevValue value=x',
    'DELETE /v2/keys/v?prevValue=',
  ),
  one(
    'wait is for GET',
    'HEAD /v2/keys/v?wait=true',
    'PUT /v2/keys/v?wait=true value=x',
    'DELETE /v2/keys/v?wait=1',
    'POST /v2/keys/v?wait=false value=x',
  ),
  one('refresh takes no value', 'PUT /v2/keys/v refresh=true&value=x&ttl=5', 'PUT /v2/keys/v refresh=true&value=x'),
  one('refresh takes a ttl', 'PUT /v2/keys/v refresh=true', 'GET /v2/keys/v?refresh=true'),
  one(
    'the order of the checks: numbers first',
    'PUT /v2/keys/v?prevIndex=a&waitIndex=b&recursive=c&prevValue= ttl=d',
    'PUT /v2/keys/v?waitIndex=b&recursive=c&prevValue= ttl=d',
  ),
  one(
    'the order of the checks: booleans',
    'PUT /v2/keys/v?stream=a&quorum=b&dir=c&wait=d&sorted=e&recursive=f value=x',
    'PUT /v2/keys/v?stream=a&quorum=b&dir=c&wait=d&sorted=e value=x',
    'PUT /v2/keys/v?stream=a&quorum=b&dir=c&wait=d value=x',
    'PUT /v2/keys/v?stream=a&quorum=b&dir=c value=x',
    'PUT /v2/keys/v?stream=a&quorum=b value=x',
    'PUT /v2/keys/v?stream=a value=x',
  ),
  one(
    'the order of the checks: the rest',
    'PUT /v2/keys/v?wait=true&prevValue= ttl=d',
    'PUT /v2/keys/v?prevValue=&noValueOnSuccess=q ttl=d',
    'PUT /v2/keys/v?noValueOnSuccess=q&prevExist=r ttl=d',
    'PUT /v2/keys/v?prevExist=r&refresh=s ttl=d',
    'PUT /v2/keys/v?prevExist=r&refresh=s',
    'PUT /v2/keys/v?refresh=s',
  ),
  one(
    'broken escapes',
    'GET /v2/keys/v?a=%zz',
    'GET /v2/keys/v?%z=1',
    'PUT /v2/keys/v value=%',
    'PUT /v2/keys/v value=%4',
    'PUT /v2/keys/v?q=%yy value=%xx',
    'GET /v2/keys/v?a=%22%',
    'GET /v2/keys/v?a=%%22',
  ),
  one(
    'semicolons',
    'GET /v2/keys/v?a=1;b=2',
    'PUT /v2/keys/v value=a;b',
    'GET /v2/keys/v?a=%zz&b=1;c',
    'GET /v2/keys/v?b=1;c&a=%zz',
  ),
  one('parameters are checked before the key', 'GET /v2/keys/none/at/all?recursive=x', 'PUT /v2/keys?ttl=x value=1'),
]

const forms: readonly Case[] = [
  {
    promise: 'a parameter on the type',
    requests: ['PUT /v2/keys/f1 value=a'],
    contentType: 'application/x-www-form-urlencoded; param=value',
  },
  {
    promise: 'upper case',
    requests: ['PUT /v2/keys/f2 value=a'],
    contentType: 'Application/X-WWW-Form-URLEncoded; charset=UTF-8',
  },
  {
    promise: 'JSON is ignored',
    requests: ['PUT /v2/keys/f3 value=a', 'POST /v2/keys/f3x value=a'],
    contentType: 'application/json',
  },
  {
    promise: 'multipart is ignored',
    requests: ['PUT /v2/keys/f4 value=a'],
    contentType: 'multipart/form-data; boundary=x',
  },
  { promise: 'no type is ignored', requests: ['PUT /v2/keys/f5 value=a'], contentType: '' },
  { promise: 'a type without a slash', requests: ['PUT /v2/keys/f6 value=a'], contentType: 'text' },
  {
    promise: 'a broken parameter',
    requests: ['PUT /v2/keys/f7 value=a'],
    contentType: 'application/x-www-form-urlencoded; param',
  },
  { promise: 'no type before the semicolon', requests: ['PUT /v2/keys/f8 value=a'], contentType: '; param=x' },
  { promise: 'nothing after the slash', requests: ['PUT /v2/keys/f9 value=a'], contentType: 'text/' },
  { promise: 'too much after the slash', requests: ['PUT /v2/keys/f10 value=a'], contentType: 'text/a b' },
  {
    promise: 'a twice named parameter',
    requests: ['PUT /v2/keys/f11 value=a'],
    contentType: 'application/x-www-form-urlencoded; a=1; a=2',
  },
  {
    promise: 'an ended list',
    requests: ['PUT /v2/keys/f12 value=a'],
    contentType: 'application/x-www-form-urlencoded;',
  },
  { promise: 'a space before the slash', requests: ['PUT /v2/keys/f13 value=a'], contentType: 'text x/y' },
  {
    promise: 'a quoted parameter',
    requests: ['PUT /v2/keys/f14 value=a'],
    contentType: 'application/x-www-form-urlencoded; a="b;c"',
  },
]

const silence: readonly Case[] = [
  one(
    'noValueOnSuccess on each write',
    'PUT /v2/keys/n1?noValueOnSuccess=true value=a',
    'PUT /v2/keys/n1?noValueOnSuccess=true value=b',
    'PUT /v2/keys/n1?noValueOnSuccess=true&prevExist=true value=c',
    'PUT /v2/keys/n1?noValueOnSuccess=true&prevValue=c value=d',
    'PUT /v2/keys/n2?noValueOnSuccess=1&prevExist=false value=e',
    'POST /v2/keys/n3?noValueOnSuccess=true value=f',
  ),
  one(
    'noValueOnSuccess where it does nothing',
    'GET /v2/keys/n1?noValueOnSuccess=true',
    'PUT /v2/keys/n1?noValueOnSuccess=true&prevExist=false value=q',
    'DELETE /v2/keys/n1?noValueOnSuccess=true',
    'PUT /v2/keys/n4?noValueOnSuccess=false value=a',
  ),
]

const times: readonly Case[] = [
  one('a ttl shows', 'PUT /v2/keys/t1 value=a&ttl=100', 'GET /v2/keys/t1'),
  one('a set without a ttl makes it permanent', 'PUT /v2/keys/t1 value=b', 'GET /v2/keys/t1'),
  one(
    'an update without a ttl too',
    'PUT /v2/keys/t2 value=a&ttl=100',
    'PUT /v2/keys/t2?prevExist=true value=b',
    'GET /v2/keys/t2',
  ),
  one(
    'a swap without a ttl too',
    'PUT /v2/keys/t3 value=a&ttl=100',
    'PUT /v2/keys/t3?prevValue=a value=b',
    'GET /v2/keys/t3',
  ),
  one(
    'updates and swaps set a ttl',
    'PUT /v2/keys/t3?prevExist=true value=b&ttl=50',
    'PUT /v2/keys/t3?prevValue=b value=c&ttl=60',
  ),
  one(
    'a directory with a ttl',
    'PUT /v2/keys/t4 dir=true&ttl=100',
    'PUT /v2/keys/t4/a value=1',
    'GET /v2/keys/t4?recursive=true',
    'DELETE /v2/keys/t4?recursive=true',
  ),
  one(
    'a refresh keeps the value',
    'PUT /v2/keys/t5 value=a&ttl=100',
    'PUT /v2/keys/t5 refresh=true&ttl=200',
    'GET /v2/keys/t5',
  ),
  one('a refresh as an update', 'PUT /v2/keys/t5?prevExist=true refresh=true&ttl=300', 'GET /v2/keys/t5'),
  one(
    'a refresh as a swap',
    'PUT /v2/keys/t5?prevValue=a refresh=true&ttl=400',
    'PUT /v2/keys/t5?prevValue=b refresh=true&ttl=400',
    'PUT /v2/keys/t5?prevIndex=1 refresh=true&ttl=400',
  ),
  one(
    'a refresh as a create',
    'PUT /v2/keys/t6?prevExist=false refresh=true&ttl=400',
    'GET /v2/keys/t6',
    'PUT /v2/keys/t6?prevExist=false refresh=true&ttl=400',
  ),
  one(
    'a refresh of nothing',
    'PUT /v2/keys/t7 refresh=true&ttl=10',
    'PUT /v2/keys/t7?prevExist=true refresh=true&ttl=10',
    'PUT /v2/keys/t6/x refresh=true&ttl=10',
  ),
  one(
    'a refresh of a directory',
    'PUT /v2/keys/t8 dir=true',
    'PUT /v2/keys/t8 refresh=true&ttl=100',
    'PUT /v2/keys/t8?prevExist=true refresh=true&ttl=100',
    'GET /v2/keys/t8',
    'PUT /v2/keys/t8?dir=true refresh=true&ttl=100',
  ),
  one('a refresh with an empty value', 'PUT /v2/keys/t5 refresh=true&ttl=100&value='),
  one('a refresh in order', 'POST /v2/keys/t9 refresh=true&ttl=100', 'GET /v2/keys/t9?recursive=true'),
  one(
    'a ttl far beyond',
    'PUT /v2/keys/t10 value=a&ttl=9223372037',
    'GET /v2/keys/t10',
    'PUT /v2/keys/t10 value=a&ttl=18446744073709551615',
    'PUT /v2/keys/t10 value=a&ttl=18446744073709551616',
  ),
  one(
    'dir=true over a file with a ttl',
    'PUT /v2/keys/t11 value=a&ttl=100',
    'PUT /v2/keys/t11 dir=true&ttl=50',
    'GET /v2/keys/t11',
  ),
]

export const CASES: readonly Case[] = [
  ...sets,
  ...creates,
  ...updates,
  ...swaps,
  ...posts,
  ...deletes,
  ...gets,
  ...paths,
  ...validation,
  ...forms,
  ...silence,
  ...times,
]
