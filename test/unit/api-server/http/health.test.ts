import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HealthCheck, healthOf } from '../../../../api-server/http/health.ts'

const test = suite('health')

const check = (name: string, live: boolean, reason?: string): HealthCheck => ({ name, live, failing: () => reason })
const GOOD = [check('ping', true), check('store', true), check('shutdown', false)]
const BAD = [check('ping', true), check('store', true, 'it is gone'), check('shutdown', false, 'on its way out')]

const ROWS: readonly [checks: readonly HealthCheck[], url: string, code: number, text: string][] = [
  [GOOD, '/livez', 200, 'ok'],
  [GOOD, '/livez?verbose', 200, '[+]ping ok\n[+]store ok\nlivez check passed\n'],
  [GOOD, '/readyz?verbose=1', 200, '[+]ping ok\n[+]store ok\n[+]shutdown ok\nreadyz check passed\n'],
  [GOOD, '/readyz/store', 200, 'ok'],
  [
    GOOD,
    '/readyz?verbose&exclude=nope',
    200,
    '[+]ping ok\n[+]store ok\n[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for "nope"\nreadyz check passed\n',
  ],
  [BAD, '/livez', 500, '[+]ping ok\n[-]store failed: it is gone\nlivez check failed\n'],
  [
    BAD,
    '/readyz?exclude=store',
    500,
    '[+]ping ok\n[+]store excluded: ok\n[-]shutdown failed: on its way out\nreadyz check failed\n',
  ],
  [BAD, '/readyz?exclude=store&exclude=shutdown', 200, 'ok'],
  [BAD, '/readyz/store', 500, 'internal server error: it is gone\n'],
]

for (const [checks, url, code, text] of ROWS)
  test(`${url} with ${checks === GOOD ? 'all well' : 'failures'}`, () => {
    const [path = '', query] = url.split('?')
    assert.equal(healthOf(checks, path, new URLSearchParams(query)), { code, text })
  })

test('a check that there is not is 404, and other paths are not for health', () => {
  assert.throws(() => healthOf(GOOD, '/livez/shutdown', new URLSearchParams()), /could not find/)
  assert.is(healthOf(GOOD, '/version', new URLSearchParams()), undefined)
})

test.run()
