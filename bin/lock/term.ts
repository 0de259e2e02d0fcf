/** One term of holding a key: the command runs, the key is renewed, and the one ends before the other does. */
import type { KeyNode, KeysClient } from '../etcd-v2/keys-client.ts'
import { type GuardedCommand, runGuarded } from './guarded-command.ts'
import { type HeldKey, keep } from './keeper.ts'
import { releaseKey } from './release.ts'
import type { Signals } from './signals.ts'

export interface TermOptions {
  readonly keys: KeysClient
  readonly command: readonly string[]
  /** One line for people. */
  readonly say: (line: string) => void
}

export interface Term {
  /** The command's exit code. */
  readonly code: number
  /** What became of the key, where the command was ended for it. */
  readonly lost: string | undefined
}

const RELEASE_TIMEOUT_MS = 3_000
/** After a loss there is rarely something to give back, or somebody who takes it. */
const RELEASE_AFTER_LOSS_MS = 500

/** Resolves once nothing of the command runs and the key is given back. Rejects when the command cannot be started. */
export async function runTerm({ keys, command, say }: TermOptions, held: HeldKey, signals: Signals): Promise<Term> {
  let running: GuardedCommand | undefined
  const keeper = keep({
    keys,
    held,
    onTerminate: (reason) => {
      say(`${held.key} ${reason}: the command is asked to end`)
      running?.signal('SIGTERM')
    },
    onKill: (reason) => {
      say(`${held.key} ${reason}: the command is killed`)
      running?.signal('SIGKILL')
    },
  })
  try {
    // This process may have been frozen since the key was taken.
    if (keeper.lost() !== undefined) return { code: 0, lost: keeper.lost() }
    running = await runGuarded(command, environmentOf(held))
    // Lost while it was being started.
    if (keeper.lost() !== undefined) running.signal('SIGKILL')
    signals.onSignal(running.signal)
    const code = await running.exited
    const lost = keeper.lost()
    // What it leaves behind may go on after its own end, but not after the loss of the key.
    if (lost !== undefined) running.signal('SIGKILL')
    return { code, lost }
  } finally {
    signals.onSignal(undefined)
    running?.release()
    await keeper.stop()
    await giveBack(keys, held, keeper.lost() === undefined ? say : undefined)
  }
}

function environmentOf({ key, createdIndex }: HeldKey): NodeJS.ProcessEnv {
  return { ...process.env, FLOTILLA_LOCK_KEY: key, FLOTILLA_LOCK_INDEX: String(createdIndex) }
}

/** `say` is absent after a loss, when a failure is no news. */
async function giveBack(keys: KeysClient, { key, createdIndex }: HeldKey, say?: TermOptions['say']): Promise<void> {
  const isOurs = (node: KeyNode): boolean => node.createdIndex === createdIndex
  try {
    await releaseKey(keys, { key, isOurs, timeoutMs: say ? RELEASE_TIMEOUT_MS : RELEASE_AFTER_LOSS_MS })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    say?.(`${key} could not be released: ${why}; it goes when its TTL runs out`)
  }
}
