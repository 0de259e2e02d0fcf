import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expandVariables, parseCommands } from '../../../../../node-agent/units/process/command-line.ts'
import { parseEnvironmentFile } from '../../../../../node-agent/units/process/environment.ts'
import { judge, parseExitSet } from '../../../../../node-agent/units/process/exit-set.ts'
import { shallRestart, startLimit } from '../../../../../node-agent/units/process/restart-policy.ts'
import { unsupportedOption } from '../../../../../node-agent/units/process/service-options.ts'
import { BadSettingError, parseService } from '../../../../../node-agent/units/process/service-spec.ts'
import { specifierExpander } from '../../../../../node-agent/units/process/specifiers.ts'
import { parseTimeSpanMs } from '../../../../../node-agent/units/process/time-span.ts'

const test = suite('services without systemd')
const host = {
  hostname: 'h1',
  machineId: 'm',
  bootId: 'b',
  runtimeDir: '/run',
  userName: 'root',
  uid: 0,
  home: '/root',
}
const expand = specifierExpander('web-a@x\\x2dy.service', host)
const read = (lines: string) => parseService({ content: `[Service]\n${lines}\n` }, expand)
const words = (line: string) => parseCommands(line, expand).map(({ path, args }) => [path, ...args])

test('command lines follow systemd, not a shell', () => {
  assert.equal(words(`/bin/echo "a b" 'c "d"' e\\x41\\tf "" g"h i"j`), [
    ['/bin/echo', 'a b', 'c "d"', 'eA\tf', '', 'gh ij'],
  ])
  assert.equal(words('/bin/a | b > c && d'), [['/bin/a', '|', 'b', '>', 'c', '&&', 'd']])
  assert.equal(words('/bin/a x ; /bin/b y \\; z ";"'), [
    ['/bin/a', 'x'],
    ['/bin/b', 'y', ';', 'z', ';'],
  ])
  assert.throws(() => words('/bin/a "open'), /not closed/)
  assert.throws(() => words('rel/a'), /absolute/)
  assert.throws(() => words('+/bin/a'), /needs systemd/)
})

test('prefixes are told apart from the path', () => {
  const [command] = parseCommands('-@:/bin/sh name -c $X', expand)
  assert.equal(command, {
    path: '/bin/sh',
    argv0: 'name',
    args: ['-c', '$X'],
    ignoreFailure: true,
    expandsVariables: false,
  })
})

const braced = (name: string) => `$\{${name}}`

test('a variable alone becomes its words, in braces it stays one', () => {
  const environment = new Map([
    ['A', 'one "two three"'],
    ['E', ''],
  ])
  assert.equal(expandVariables(['$A', braced('A'), `x${braced('E')}y`, '$E', '$NONE', '$$A', 'a$A'], environment), [
    'one',
    'two three',
    'one "two three"',
    'xy',
    '$A',
    'a$A',
  ])
})

test('specifiers are replaced, and an unknown one is an error', () => {
  assert.is(
    expand('%n %N %p %i %I %H %m %b %t %j %%'),
    'web-a@x\\x2dy.service web-a@x\\x2dy web-a x\\x2dy x-y h1 m b /run a %',
  )
  assert.throws(() => expand('%Z'), /%Z/)
})

test('time spans are systemd time spans', () => {
  const spans = ['5', '1min 30s', '100ms', '1.5h', 'infinity', '', 'soon', '5 parsecs'].map(parseTimeSpanMs)
  assert.equal(spans, [5000, 90_000, 100, 5_400_000, Number.POSITIVE_INFINITY, undefined, undefined, undefined])
})

test('defaults are systemd defaults', () => {
  const { restart, restartMs, startLimit: limit, stopTimeoutMs, killMode, killSignal, umask } = read('ExecStart=/bin/a')
  assert.equal(
    [restart, restartMs, limit, stopTimeoutMs, killMode, killSignal, umask],
    ['no', 100, { burst: 5, intervalMs: 10_000 }, 90_000, 'control-group', 'SIGTERM', 0o022],
  )
  assert.is(read('Type=oneshot\nExecStart=/bin/a').startTimeoutMs, Number.POSITIVE_INFINITY)
  assert.is(read('ExecStart=/bin/a\nTimeoutStopSec=0').stopTimeoutMs, Number.POSITIVE_INFINITY)
})

for (const [lines, words] of [
  ['', /no ExecStart=/],
  ['ExecStart=/bin/a\nExecStart=/bin/b', /more than one ExecStart=/],
  ['Type=oneshot\nExecStart=/bin/a\nRestart=always', /isn't allowed for Type=oneshot/],
  ['ExecStart=/bin/a\nRestart=often', /Restart=: 'often'/],
  ['ExecStart=/bin/a\nKillSignal=SIGNONE', /KillSignal=/],
  ['ExecStart=/bin/a\nSuccessExitStatus=LOUD', /SuccessExitStatus=: 'LOUD'/],
  ['ExecStart=/bin/a\nEnvironment=1=2', /Environment=/],
  ['ExecStart=/bin/a\nWorkingDirectory=here', /WorkingDirectory=/],
  ['ExecStart=/bin/a %Z', /ExecStart=.*%Z/],
] as const) {
  test(`a bad setting is named: ${lines.replaceAll('\n', '; ')}`, () => {
    try {
      read(lines)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, BadSettingError)
      assert.match((error as Error).message, words)
    }
  })
}

test('what needs systemd is refused by name, what changes nothing is not', () => {
  const verdict = (content: string, name = 'a.service') => unsupportedOption({ name, content })
  const why = 'needs systemd, which does not run on this machine'
  assert.is(verdict('[Service]\nDynamicUser=yes\nExecStart=/bin/a'), `DynamicUser= ${why}`)
  assert.is(verdict('[Service]\nDynamicUser=no\nPrivateTmp=false\nExecStart=/bin/a'), undefined)
  assert.is(verdict('[Service]\nType=notify'), `Type=notify ${why}`)
  assert.is(verdict('[Unit]\nRequires=b.service'), `Requires= ${why}`)
  assert.is(verdict('[Timer]\nOnCalendar=daily', 'a.timer'), `a timer unit ${why}`)
  assert.is(verdict('[Path]\nPathExists=/x'), `[Path] ${why}`)
  const fine =
    '[Unit]\nDescription=x\nAfter=b.service\nWants=b.service\n[Service]\nExecStart=/bin/a\n[Install]\nWantedBy=x.target\n[X-Fleet]\nGlobal=yes\n'
  assert.is(verdict(fine), undefined)
})

test('environment files are assignments with quotes, not shell', () => {
  const file = parseEnvironmentFile(`# c\nA=1\nB="two words"\nC='$A'\n D = x y \nbroken\nE=a\\\nb\n`)
  assert.equal(
    [...file],
    [
      ['A', '1'],
      ['B', 'two words'],
      ['C', '$A'],
      ['D', 'x y'],
      ['E', 'ab'],
    ],
  )
})

test('an end is judged as systemd judges it', () => {
  const set = parseExitSet(['143', 'TEMPFAIL', 'SIGKILL'])
  const results = [
    judge({ code: 0, signal: null }, set, true),
    judge({ code: 75, signal: null }, set, true),
    judge({ code: 1, signal: null }, set, true),
    judge({ code: null, signal: 'SIGTERM' }, set, true),
    judge({ code: null, signal: 'SIGTERM' }, set, false),
    judge({ code: null, signal: 'SIGKILL' }, set, true),
    judge({ code: null, signal: 'SIGSEGV' }, set, true),
  ]
  assert.equal(results, ['success', 'success', 'exit-code', 'success', 'signal', 'success', 'signal'])
})

test('Restart= restarts after the ends that systemd lists for it', () => {
  const after = (policy: Parameters<typeof shallRestart>[0]) =>
    (['success', 'exit-code', 'signal', 'timeout'] as const).map((result) =>
      shallRestart(policy, { result, exitStatus: 0, detail: '' }),
    )
  assert.equal(after('no'), [false, false, false, false])
  assert.equal(after('always'), [true, true, true, true])
  assert.equal(after('on-success'), [true, false, false, false])
  assert.equal(after('on-failure'), [false, true, true, true])
  assert.equal(after('on-abnormal'), [false, false, true, true])
  assert.equal(after('on-abort'), [false, false, true, false])
})

test('the start limit lets through its burst in any interval', () => {
  let now = 0
  const limit = startLimit(() => now)
  const take = () => limit.take({ burst: 2, intervalMs: 100 })
  assert.equal([take(), take(), take()], [true, true, false])
  now = 101
  assert.equal([take(), limit.take({ burst: 0, intervalMs: 100 })], [true, true])
})

test.run()
