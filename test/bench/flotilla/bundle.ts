/**
 * What is measured is a copy of dist/ as it was when the benchmark began: a build beside neither changes nor breaks a
 * run. It lies below node_modules, so that the native addon of the store is found from there.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')
const CACHE = join(ROOT, 'node_modules/.cache')

let copied: string | undefined

/** The command to measure; another build's when FLOTILLA_BENCH_DIST names its folder. */
export function bundle(): string {
  copied ??= copyOf(process.env.FLOTILLA_BENCH_DIST ?? join(ROOT, 'dist'))
  return join(copied, 'flotilla.js')
}

function copyOf(dist: string): string {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  cpSync(dist, folder, { recursive: true, filter: (path) => !path.endsWith('.map') })
  return folder
}
