/** Plays a transcript's scene in a real shell, and tells every step that did not go as written. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runProcess } from '../process.ts'
import { tempDir } from '../temp-dir.ts'
import { until } from '../until.ts'
import { type Behind, startBehind } from './behind.ts'
import { linesOf, matches } from './match.ts'
import type { Scene, Step } from './parse.ts'

export interface Stage {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Each run of the commands in question adds a line to this file. */
  readonly countFile: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const STEP_TIMEOUT_MS = 30_000
const UNTIL_TIMEOUT_MS = 15_000

/** How many of the counted commands ran (tries of one step count once). Rejects with all that differs, as a transcript. */
export async function playScene(scene: Scene, { env, countFile }: Stage): Promise<number> {
  const folder = tempDir()
  layOut(folder, scene)
  const behind: Behind[] = []
  const differences: string[] = []
  let count = 0
  try {
    for (const step of scene.steps.map((one) => withNamespace(one, env.NS ?? ''))) {
      rmSync(countFile, { force: true })
      if (step.way === 'behind') behind.push(await startBehind(step, { folder, env }))
      else differences.push(...(await play(step, { folder, env, countFile })))
      count += countedIn(countFile)
    }
    for (const one of behind) differences.push(...(await one.settle()))
  } finally {
    for (const one of behind) await one.stop()
  }
  if (differences.length > 0) throw new Error(`not as written:\n${differences.join('\n')}`)
  return count
}

function layOut(folder: string, scene: Scene): void {
  for (const [name, text] of scene.files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

function withNamespace(step: Step, namespace: string): Step {
  const fill = (line: string) => line.replaceAll('$NS', namespace)
  return { ...step, stdout: step.stdout.map(fill), stderr: step.stderr.map(fill) }
}

interface Place extends Stage {
  readonly folder: string
}

async function play(step: Step, place: Place): Promise<string[]> {
  let ended = await run(step, place)
  const again = async () => {
    if (isAsWritten(step, ended)) return true
    rmSync(place.countFile, { force: true })
    ended = await run(step, place)
    return isAsWritten(step, ended)
  }
  if (step.way === 'until')
    await until(again, { what: step.command, timeoutMs: UNTIL_TIMEOUT_MS }).catch(() => undefined) // told below
  return isAsWritten(step, ended) ? [] : [told(step, ended)]
}

function run({ command }: Step, { folder, env }: Place): Promise<Ended> {
  return runProcess(['bash', '-o', 'pipefail', '-c', command], { cwd: folder, env, timeoutMs: STEP_TIMEOUT_MS })
}

function isAsWritten(step: Step, { code, stdout, stderr }: Ended): boolean {
  return code === step.code && matches(step.stdout, stdout) && matches(step.stderr, stderr)
}

function told(step: Step, { code, stdout, stderr }: Ended): string {
  const errors = linesOf(stderr).map((line) => `! ${line}`)
  return [`$ ${step.command}   # line ${step.line}`, ...linesOf(stdout), ...errors, `? ${code}`].join('\n')
}

function countedIn(file: string): number {
  try {
    return linesOf(readFileSync(file, 'utf8')).length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}
