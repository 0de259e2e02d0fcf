/**
 * The test runner: `tsx test/run.ts unit|integration|lab|faults|all [part of a path …]`.
 *
 * uvu alone runs all files in one process, accepts a file that forgot `.run()` and hangs on an open handle. Here every
 * file has its own process and deadline, and is judged by its summary, its exit and what it left behind.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { filesOf, GROUPS, type Group, type GroupName } from './runner/groups.ts'
import { closingLine, reportTo, totalsOf } from './runner/report.ts'
import { type GroupResult, runGroup } from './runner/run-group.ts'
import { ALLOWED_TO_LACK_IN_CI, requirement } from './support/requirements.ts'

const root = process.env.FLOTILLA_TEST_ROOT ?? resolve(import.meta.dirname, '..')
const ci = process.env.CI === 'true'

/** The lab makes real machines of this host: always in CI, elsewhere only where it can and somebody asked for it. */
function groupsOfAll(): GroupName[] {
  const lab = ci || (process.env.FLOTILLA_TEST_LAB === '1' && requirement('lab') === undefined)
  return lab ? ['unit', 'integration', 'lab'] : ['unit', 'integration']
}

function groupsNamed(name: string | undefined): Group[] {
  if (name === 'all') return groupsOfAll().map((each) => GROUPS[each])
  const known = Object.values(GROUPS).find((group) => group.name === name)
  if (known) return [known]
  throw new Error(`usage: test/run.ts ${Object.keys(GROUPS).join('|')}|all [part of a path …]`)
}

/** Ctrl-C ends the files that run, with all they started; a second one ends the runner at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())
  return stop.signal
}

async function main([name, ...filters]: readonly string[]): Promise<number> {
  const report = reportTo(console.log, process.stdout.isTTY === true && process.env.NO_COLOR === undefined)
  const options = { root, ci, allowedToLack: ALLOWED_TO_LACK_IN_CI, signal: stopSignal(), onVerdict: report.file }
  const results: GroupResult[] = []
  for (const group of groupsNamed(name)) {
    const files = filesOf(root, group, filters)
    if (files.length === 0) continue
    report.begin(group, files.length)
    const result = await runGroup(group, files, options)
    report.end(result)
    results.push(result)
  }
  if (results.length === 0) {
    console.log(`no test file matches\n${closingLine({ passed: 0, failed: 1, skipped: 0 })}`)
    return 1
  }
  report.close(results)
  return totalsOf(results).failed === 0 ? 0 : 1
}

if (!existsSync(root)) throw new Error(`no such folder: ${root}`)
process.exitCode = await main(process.argv.slice(2))
