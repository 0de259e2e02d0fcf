/**
 * `npm run bench [-- name … [-o json]]`: asks the questions of docs/performance.md and prints the numbers. It judges
 * nothing: a bar that is missed is printed, not an error.
 *
 * FLOTILLA_BENCH_QUICK=1 takes a short form, which shows that everything works and little more.
 */
import { stopAll } from './flotilla/running.ts'
import { describeBox, loadAverage } from './harness/box.ts'
import type { Question, Settings } from './harness/figure.ts'
import { boxLine, type Result, resultJson, resultText } from './harness/report.ts'
import { QUESTIONS } from './questions.ts'

interface Arguments {
  readonly names: readonly string[]
  readonly json: boolean
}

function parseArguments(argv: readonly string[]): Arguments {
  const at = argv.indexOf('-o')
  if (at >= 0 && argv[at + 1] !== 'json') throw new Error('-o takes json')
  const names = at < 0 ? argv : argv.toSpliced(at, 2)
  const known = QUESTIONS.map(({ name }) => name)
  const stranger = names.find((name) => !known.includes(name))
  if (stranger !== undefined) throw new Error(`no question "${stranger}"; there are: ${known.join(', ')}`)
  return { names, json: at >= 0 }
}

async function ask(question: Question, settings: Settings): Promise<Result> {
  const { name, asks } = question
  const loadBefore = loadAverage()
  const skipped = question.lacking?.()
  if (skipped !== undefined) return { question: name, asks, seconds: 0, loadBefore, skipped, figures: [] }
  const begun = performance.now()
  const answer = await question.run(settings)
  return { question: name, asks, seconds: (performance.now() - begun) / 1000, loadBefore, ...answer }
}

async function main(argv: readonly string[]): Promise<void> {
  const { names, json } = parseArguments(argv)
  const quick = process.env.FLOTILLA_BENCH_QUICK === '1'
  const settings: Settings = { quick, say: (text) => void (process.stderr.isTTY && console.error(`… ${text}`)) }
  const box = describeBox()
  if (!json) console.log(boxLine(box) + (quick ? '\nthe short form: these numbers show that it works, no more' : ''))
  const results: Result[] = []
  for (const question of QUESTIONS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const result = await ask(question, settings)
    results.push(result)
    if (!json) console.log(resultText(result))
  }
  if (json) console.log(resultJson(box, results))
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => void stopAll().then(() => process.exit(130)))
await main(process.argv.slice(2)).catch(async (error: unknown) => {
  console.error(error)
  await stopAll()
  process.exit(1)
})
