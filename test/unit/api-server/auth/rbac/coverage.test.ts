import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { covers, missingRules, piecesOf, ruleText } from '../../../../../api-server/auth/rbac/coverage.ts'
import type { PolicyRule } from '../../../../../api-server/auth/rbac/policy.ts'

const test = suite('what rules give beyond others')

const rule = (verbs: string, groups: string, resources: string, names = ''): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
  resources: resources.split(' '),
  ...(names && { resourceNames: names.split(' ') }),
})
const paths = (verbs: string, urls: string): PolicyRule => ({
  verbs: verbs.split(' '),
  nonResourceURLs: urls.split(' '),
})

const ROWS: readonly [title: string, held: readonly PolicyRule[], wanted: PolicyRule, missing: readonly string[]][] = [
  ['the same rule', [rule('get', 'core', 'pods')], rule('get', 'core', 'pods'), []],
  [
    'a wide rule held in pieces',
    [rule('get', 'core', 'pods secrets'), rule('list', 'core', 'pods secrets')],
    rule('get list', 'core', 'pods secrets'),
    [],
  ],
  ['everything', [rule('*', '*', '*')], rule('get', 'a b', 'c/d', 'n'), []],
  [
    'a star held in pieces is not held',
    [rule('get list watch', 'core', 'pods')],
    rule('*', 'core', 'pods'),
    ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}'],
  ],
  [
    'verbs of one resource are told together',
    [],
    rule('get list', 'core', 'pods'),
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}'],
  ],
  [
    'any subresource of that name',
    [rule('get', 'g', '*/log')],
    rule('get', 'g', 'pods/log pods'),
    ['{APIGroups:["g"], Resources:["pods"], Verbs:["get"]}'],
  ],
  [
    'one name is less than all',
    [rule('get', 'core', 'pods', 'a')],
    rule('get', 'core', 'pods'),
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
  ],
  ['all is more than one name', [rule('get', 'core', 'pods')], rule('get', 'core', 'pods', 'a'), []],
  [
    'another name',
    [rule('get', 'core', 'pods', 'a')],
    rule('get', 'core', 'pods', 'a b'),
    ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}'],
  ],
  [
    'a path below',
    [paths('get', '/logs/*')],
    paths('get', '/logs/x /metrics'),
    ['{NonResourceURLs:["/metrics"], Verbs:["get"]}'],
  ],
  ['paths are no resources', [rule('*', '*', '*')], paths('get', '/x'), ['{NonResourceURLs:["/x"], Verbs:["get"]}']],
]

for (const [title, held, wanted, missing] of ROWS)
  test(title, () => assert.equal(missingRules(held, [wanted]).map(ruleText), missing))

test('whatever is missing, adding it makes nothing missing', () => {
  const some = (...values: string[]) => fc.subarray(values, { minLength: 1 })
  const any = fc.record({
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'g', '*'),
    resources: some('a', 'a/b', '*/b', '*'),
    resourceNames: fc.subarray(['x']),
  })
  void fc.assert(
    fc.property(fc.array(any, { maxLength: 3 }), fc.array(any, { maxLength: 3 }), (held, wanted) => {
      const missing = missingRules(held, wanted)
      assert.equal(missingRules([...held, ...missing], wanted), [])
      for (const piece of missing.flatMap(piecesOf)) assert.not.ok(held.some((one) => covers(one, piece)))
    }),
    { numRuns: 300 },
  )
})

test.run()
