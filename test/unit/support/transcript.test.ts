import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tempDir } from '../../support/temp-dir.ts'
import { matches } from '../../support/transcript/match.ts'
import { parseTranscript } from '../../support/transcript/parse.ts'
import { playScene } from '../../support/transcript/play.ts'

const test = suite('transcripts')

const stage = () => ({ countFile: `${tempDir()}/count`, env: { NS: 'here' } })

async function play(text: string): Promise<number> {
  const [scene] = parseTranscript(text, '1.32')
  if (scene === undefined) throw new Error('no scene')
  return playScene(scene, stage())
}

const EXPECTATIONS: readonly [title: string, expected: readonly string[], output: string, verdict: boolean][] = [
  ['the same', ['a', 'b'], 'a\nb\n', true],
  ['blanks are alike', ['NAME AGE', 'x 1s'], 'NAME     AGE\n  x      1s\n\n', true],
  ['a line too many', ['a'], 'a\nb\n', false],
  ['a line too few', ['a', 'b'], 'a\n', false],
  ['any text', ['a … c'], 'a big c', true],
  ['any text is of one line', ['a … c'], 'a\nc', false],
  ['any lines', ['a', '...', 'z'], 'a\nb\nc\nz', true],
  ['any lines may be none', ['a', '...'], 'a', true],
  ['what comes after any lines has to come', ['...', 'z'], 'a\nz\nb', false],
  ['signs of patterns are text', ['[a.b]* (c)'], '[a.b]* (c)', true],
  ['nothing', [], '\n', true],
  ['nothing is not something', [], 'x', false],
]

for (const [title, expected, output, verdict] of EXPECTATIONS)
  test(`what is printed is compared: ${title}`, () => assert.is(matches(expected, output), verdict))

const TWO = `
# a comment
== first
-- a/b.txt
# not a comment
--
$ cat a/b.txt
\\# not a comment
@1.20 only the old one
! oops
? 3
@1.20 == second
$~ true
`

test('scenes, files and steps are read, for one release', () => {
  assert.equal(parseTranscript(TWO, '1.32'), [
    {
      title: 'first',
      files: new Map([['a/b.txt', '# not a comment\n']]),
      steps: [{ line: 7, command: 'cat a/b.txt', way: 'once', stdout: ['# not a comment'], stderr: ['oops'], code: 3 }],
    },
  ])
  const [first, second] = parseTranscript(TWO, '1.20')
  assert.equal(first?.steps[0]?.stdout, ['# not a comment', 'only the old one'])
  assert.equal([second?.title, second?.steps[0]?.way], ['second', 'until'])
})

test('a line without a place is refused by its number', () => {
  assert.throws(() => parseTranscript('\n$ true\n', '1.32'), /line 2/)
  assert.throws(() => parseTranscript('== a\nanswer\n', '1.32'), /line 2: an answer before any command/)
  assert.throws(() => parseTranscript('== a\n-- file\n', '1.32'), /line 2: a file without its end/)
})

test('every difference is told, the exit code too', async () => {
  await play('== a\n$ echo $NS; echo oops >&2; exit 3\n$NS\n! oops\n? 3\n')
  const failed = await play('== a\n$ echo one\n$ echo two\ntwo\n$ exit 4\n').then(String, String)
  assert.match(failed, /not as written:\n\$ echo one {3}# line 2\none\n\? 0\n\$ exit 4 {3}# line 5\n\? 4$/)
})

test('a command is asked again until it is as written, and one behind is waited for', async () => {
  await play('== a\n$~ echo x >>file; wc -l <file\n3\n')
  await play("== a\n$ mkfifo pipe\n$& sh -c 'echo begun; cat pipe'\nbegun\nlate\n$ echo late >pipe\n")
})

test.run()
