import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseTranscript } from '../../support/transcript/parse.ts'

const test = suite('docs/compatibility.md')

const ROOT = join(import.meta.dirname, '../../..')
const SCENES = join(ROOT, 'test/integration/kubectl/scenes')

/** Typed to see what becomes of what is no verb of kubectl: a plugin, a slip, the shell's completion. */
const NO_VERBS = new Set(['hello', 'bogus', '__complete'])

function playedVerbs(): Set<string> {
  const texts = readdirSync(SCENES).map((file) => readFileSync(join(SCENES, file), 'utf8'))
  const scenes = ['1.20', '1.32'].flatMap((version) => texts.flatMap((text) => parseTranscript(text, version)))
  const commands = scenes.flatMap(({ steps }) => steps.map(({ command }) => command))
  const verbs = commands.flatMap((command) =>
    [...command.matchAll(/\bkubectl ([\w-]+)/g)].map((match) => match[1] ?? ''),
  )
  return new Set(verbs.filter((verb) => !NO_VERBS.has(verb)))
}

/** The first column of the first table. */
function toldVerbs(): Set<string> {
  const text = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8')
  const [, table = ''] = /^\| kubectl \|.*\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(text) ?? []
  const cells = table.split('\n').map((row) => row.split('|')[1] ?? '')
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`([\w-]+)`/g)].map((match) => match[1] ?? '')))
}

test('its table names the verbs of kubectl that the script plays, no more and no fewer', () => {
  assert.equal([...toldVerbs()].sort(), [...playedVerbs()].sort())
})

test.run()
