import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../support/process.ts'
import type { Outcome } from './check.ts'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Commands and types: the other checks run them, there is nothing to import. */
const NOT_IMPORTED = /^@types\/|^@biomejs\/biome$|^typescript$|^tsx$/
/** x509's decorators read it while they load. */
const FIRST = 'reflect-metadata'
const TIMEOUT_MS = 60_000

/** The packages to import; what lives in this repository (`file:`) is imported by what uses it. */
export function importable({ dependencies = {}, devDependencies = {} }: Manifest): string[] {
  const names = Object.entries({ ...dependencies, ...devDependencies })
    .filter(([name, version]) => !version.startsWith('file:') && !NOT_IMPORTED.test(name))
    .map(([name]) => name)
  return names.sort((a, b) => Number(b === FIRST) - Number(a === FIRST) || a.localeCompare(b))
}

const IMPORT_ALL = `for (const name of process.argv.slice(1)) {
  console.log('importing', name)
  try { await import(name) } catch (error) { console.log('failed', name + ':', error.message); process.exitCode = 1 }
}
process.exit()`

/** Imports every package once on this Node, in one process of its own: some newer ones crash it. */
export async function importEveryDependency(root: string): Promise<Outcome> {
  const names = importable(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest)
  const argv = [process.execPath, '--input-type=module', '-e', IMPORT_ALL, '--', ...names]
  const { code, signal, stdout, stderr } = await runProcess(argv, { cwd: root, timeoutMs: TIMEOUT_MS })
  const looked = `${names.length} packages on Node ${process.version}`
  if (code === 0) return { problems: [], looked }
  const failed = stdout.split('\n').filter((line) => line.startsWith('failed '))
  const last = stdout.trim().split('\n').at(-1)
  return { problems: failed.length > 0 ? failed : [`${signal ?? `exit ${code}`} while ${last}: ${stderr}`], looked }
}
