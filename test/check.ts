/**
 * `npm run check`: what can be judged without running the product. All checks run at once; each prints one line, and
 * what it found where it found something.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Check, Outcome } from './checks/check.ts'
import { commandOutcome } from './checks/command.ts'
import { importEveryDependency } from './checks/dependencies.ts'
import { importRules } from './checks/imports.ts'
import { repositorySources } from './checks/sources.ts'
import { textRules } from './checks/text-rules.ts'

const root = resolve(import.meta.dirname, '..')
const sources = repositorySources(root)
const bin = (name: string) => join(root, 'node_modules/.bin', name)

async function generatedOutcome(): Promise<Outcome> {
  if (!existsSync(join(root, 'crds/gen.ts'))) return { problems: [], looked: 'nothing is generated' }
  return await commandOutcome([process.execPath, '--import', 'tsx/esm', 'crds/gen.ts', '--check'], 'crds/gen.ts')
}

const checks: readonly Check[] = [
  {
    name: 'lint and format',
    run: () => commandOutcome([bin('biome'), 'check', '--max-diagnostics=200', '.'], 'biome'),
  },
  { name: 'types', run: () => commandOutcome([bin('tsc'), '--noEmit', '-p', '.'], 'tsc') },
  { name: 'generated files', run: generatedOutcome },
  { name: 'imports', run: async () => importRules(await sources) },
  { name: 'text', run: async () => textRules(await sources) },
  { name: 'dependencies', run: () => importEveryDependency(root) },
]

const indented = (text: string) => text.replaceAll(/^(?=.)/gm, '    ')

/** Runs one check and prints what it found. A check that cannot be made has failed. */
async function passes({ name, run }: Check): Promise<boolean> {
  const begun = performance.now()
  const { problems, looked } = await run().catch(
    (error: unknown): Outcome => ({ problems: [String(error)], looked: 'it could not be made' }),
  )
  const seconds = ((performance.now() - begun) / 1000).toFixed(2)
  console.log(`  ${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}  ${looked}  ${seconds} s`)
  for (const problem of problems) console.log(indented(problem))
  return problems.length === 0
}

console.log('check')
const results = await Promise.all(checks.map(passes))
process.exitCode = results.every(Boolean) ? 0 : 1
