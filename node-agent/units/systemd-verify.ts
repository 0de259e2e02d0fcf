/**
 * Asks `systemd-analyze verify` whether systemd would load a unit, before the file of one that is there is replaced.
 *
 * Only what systemd would refuse to load counts. A key that it does not know is ignored by systemd as well; a program that
 * is missing now may be there when the unit starts; a dependency that is missing is told by the start itself, which then
 * leaves the running unit alone. All of these are complaints of verify, too, but none is worth refusing a file for.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { UnitFile } from './driver.ts'

/** It takes some 15 ms for one unit and for thirty. */
const DEADLINE_MS = 10_000
const MAX_OUTPUT_BYTES = 256 * 1024
const PREFIX = '.verify-'

export interface VerifyOptions {
  readonly kind: 'system' | 'user'
  /** Where the candidates are put while they are looked at, in a hidden folder. */
  readonly scratchDir: string
}

/** Unit name to the reason why its file must not replace the one that is there; no entry where it may. */
export type Verify = (files: readonly UnitFile[]) => Promise<ReadonlyMap<string, string>>

/** A machine that has no systemd-analyze gets its files unverified, and a warning each time; one that is too slow waits. */
export function verifier({ log, ...options }: VerifyOptions & { readonly log: Logger }): Verify {
  return async (files) => {
    try {
      return await verifyUnits(files, options)
    } catch (error) {
      const { code, syscall = '' } = error as NodeJS.ErrnoException
      const isMissing = code === 'ENOENT' && syscall.startsWith('spawn')
      const units = files.map(({ name }) => name)
      log.warn({ err: error, units }, isMissing ? 'replaced without systemd-analyze verify' : 'not verified')
      const why = `not replaced, because it could not be verified: ${(error as Error).message}`
      return new Map(isMissing ? [] : units.map((name) => [name, why]))
    }
  }
}

/** Removes what an agent that was killed in the middle of it has left. */
export async function sweepCandidates(scratchDir: string): Promise<void> {
  const left = (await readdir(scratchDir)).filter((name) => name.startsWith(PREFIX))
  await Promise.all(left.map((name) => rm(join(scratchDir, name), { recursive: true, force: true })))
}

/**
 * Unit name to systemd's words about why it would not load the file; no entry for what it would load. Names and drop-ins
 * must have passed as file names. Rejects when systemd-analyze is not there or does not come to an end.
 */
export async function verifyUnits(
  files: readonly UnitFile[],
  { kind, scratchDir }: VerifyOptions,
): Promise<ReadonlyMap<string, string>> {
  if (files.length === 0) return new Map()
  const folder = await mkdtemp(join(scratchDir, PREFIX))
  try {
    await Promise.all(files.map((file) => putFile(folder, file)))
    const scope = kind === 'user' ? ['--user'] : []
    const paths = files.map(({ name }) => join(folder, name))
    const said = await complaints([...scope, 'verify', '--man=no', '--generators=no', ...paths])
    return refusals(
      said.replaceAll(`${folder}/`, ''),
      files.map(({ name }) => name),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The unit's folder comes first in verify's search path, so these outrank what is installed under the same names. */
async function putFile(folder: string, { name, content, dropIns = [] }: UnitFile): Promise<void> {
  await writeFile(join(folder, name), content)
  if (dropIns.length === 0) return
  await mkdir(join(folder, `${name}.d`))
  await Promise.all(dropIns.map((dropIn) => writeFile(join(folder, `${name}.d`, dropIn.name), dropIn.content)))
}

/** Of all that verify said, what belongs to units that systemd would not load. Exported for its table of cases. */
export function refusals(said: string, names: readonly string[]): ReadonlyMap<string, string> {
  const lines = said.split('\n').filter((line) => line !== '')
  const verdicts = names.map((name) => [name, refusal(lines, name)] as const)
  return new Map(verdicts.filter((verdict): verdict is readonly [string, string] => verdict[1] !== undefined))
}

/** systemd closes its complaints with a sentence that begins so; before 250 with `Failed to load`. */
function refusal(lines: readonly string[], name: string): string | undefined {
  const verdict = lines.find(
    (line) =>
      line.startsWith(`Unit ${name} `) || line.startsWith(`Failed to load ${name}:`) || isUnprepared(line, name),
  )
  if (verdict === undefined) return undefined
  const reasons = lines.filter((line) => [`${name}:`, `${name}.d/`].some((start) => line.startsWith(start)))
  return [verdict, ...reasons].join(' ')
}

function isUnprepared(line: string, name: string): boolean {
  return line.startsWith(`Failed to prepare filename ${name}:`)
}

/** Both outputs; the exit status says no more than that there were complaints. */
function complaints(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-analyze', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, SYSTEMD_LOG_LEVEL: 'info', SYSTEMD_COLORS: '0', LC_ALL: 'C.UTF-8' },
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    })
    const chunks: Buffer[] = []
    let bytes = 0
    child.stderr.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk)
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      if (signal === null) resolve(Buffer.concat(chunks).toString('utf8'))
      else reject(new Error(`systemd-analyze verify was ended by ${signal}`))
    })
  })
}
