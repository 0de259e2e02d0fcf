import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { removeTree, TEMP_ROOT } from '../support/temp-dir.ts'
import { within } from '../support/within.ts'
import type { TestFile } from './groups.ts'
import { removeLabResidue } from './lab-residue.ts'
import { killMarked, MARK, newMark, outliving } from './survivors.ts'

/** What happened when one test file ran, before anybody judges it. */
export interface FileRun {
  readonly path: string
  readonly durationMs: number
  /** stdout and stderr; of a very long output the end. */
  readonly output: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Why the runner itself killed it, if it did. */
  readonly killed: string | undefined
  /** Processes, mounts: what was still there after the end (and has been removed, where that is safe). */
  readonly leftBehind: readonly string[]
}

const KEPT_CHARACTERS = 512 * 1024
/** How long a file may live on after uvu's closing lines: longer means that a server, timer or child holds it open. */
const LINGER_MS = 2_000
const SETTLE_MS = 1_000
const BATCH_MAIN = join(import.meta.dirname, 'batch-main.ts')
const CLOSING_LINE = /^\s*Duration:\s/m

/** Paths that share one process are given as one, separated by blanks (no test file has any in its name). */
function start(root: string, path: string, mark: string, folder: string): ChildProcess {
  const files = path.split(' ')
  const entry = files.length > 1 ? [BATCH_MAIN, ...files] : files
  // tsx/esm leaves CommonJS packages alone: half the start-up time of plain tsx.
  return spawn(process.execPath, ['--enable-source-maps', '--import', 'tsx/esm', ...entry], {
    cwd: root,
    detached: true, // a process group of its own, to be killed as one
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [MARK]: mark, FLOTILLA_TEST_TMP: folder, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
}

interface Output {
  text(): string
  /** Settles once uvu has printed its closing lines. */
  readonly closed: Promise<void>
}

function readOutput(child: ChildProcess): Output {
  let text = ''
  const closed = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text = (text + chunk).slice(-KEPT_CHARACTERS)
        if (chunk.includes('Duration:') && CLOSING_LINE.test(text.slice(-2_000))) resolve()
      })
    }
  })
  return { text: () => text, closed }
}

/** Settles with the reason as soon as there is one to kill the file. */
async function reasonToKill(file: TestFile, output: Output, stop: AbortSignal, done: AbortSignal): Promise<string> {
  const deadline = delay(file.deadlineMs, `not finished after ${file.deadlineMs / 1000} s`, { signal: done })
  const lingering = output.closed
    .then(() => delay(LINGER_MS, undefined, { signal: done }))
    .then(() => `leaks handles: still running ${LINGER_MS / 1000} s after its last test`)
  const stopped = stop.aborted ? Promise.resolve() : once(stop, 'abort', { signal: done })
  return await Promise.race([deadline, lingering, stopped.then(() => 'the run was stopped')])
}

async function endOf(child: ChildProcess): Promise<Pick<FileRun, 'code' | 'signal'>> {
  const [code, signal] = (await once(child, 'exit')) as [FileRun['code'], FileRun['signal']]
  return { code, signal }
}

/** A killed file could not close its labs, and its processes are no surprise: only what cannot be removed is told. */
async function cleanUpKilled(mark: string, folder: string): Promise<string[]> {
  await killMarked(mark)
  return [...(await removeLabResidue(folder)), ...removeFolder(folder)]
}

/** What the file started and did not stop is named, then killed; its temporary folder is removed. */
async function cleanUpEnded(mark: string, folder: string): Promise<string[]> {
  const left = (await outliving(mark, SETTLE_MS)).map(({ command }) => `process: ${command}`)
  await killMarked(mark)
  return [...left, ...removeFolder(folder)]
}

function removeFolder(folder: string): string[] {
  try {
    removeTree(folder)
    return []
  } catch (error) {
    return [`folder: ${(error as Error).message}`]
  }
}

/** Runs one test file in its own process, within its deadline, and leaves nothing of it behind. Never rejects. */
export async function runFile(root: string, file: TestFile, stop: AbortSignal): Promise<FileRun> {
  const begun = performance.now()
  const mark = newMark()
  const folder = mkdtempSync(join(TEMP_ROOT, 'fl-test-'))
  const child = start(root, file.path, mark, folder)
  const output = readOutput(child)
  const done = new AbortController()
  let killed: string | undefined
  const killing = reasonToKill(file, output, stop, done.signal)
    .then(async (reason) => {
      killed = reason
      await killMarked(mark)
    })
    .catch(() => undefined) // aborted: the file has ended by itself
  const drained = once(child, 'close')
  const end = await endOf(child)
  done.abort()
  await killing
  const cleanUp = killed === undefined ? cleanUpEnded : cleanUpKilled
  const leftBehind = await cleanUp(mark, folder)
  // A process that shed the mark may hold the pipes: the verdict does not wait for it.
  await within(SETTLE_MS, drained, 'the rest of the output').catch(() => undefined)
  return {
    path: file.path,
    durationMs: performance.now() - begun,
    output: output.text(),
    killed,
    ...end,
    leftBehind,
  }
}
