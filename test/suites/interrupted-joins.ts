/** A server that joins, killed at random moments and started again with the same words, until it is a member. */
import * as assert from 'uvu/assert'
import { joinArguments, joinServer, memberNotes } from '../support/own-etcd.ts'
import { startProcess } from '../support/process.ts'
import { BUNDLE, flotilla, type Product } from '../support/product.ts'
import { seeded } from '../support/random.ts'
import { tempDir } from '../support/temp-dir.ts'
import { within } from '../support/within.ts'

export interface InterruptedJoins {
  readonly kills: number
  readonly seed: number
}

/** A join takes about so long on a quiet machine, most of it waiting for etcd's leave to add a member. */
const LONGEST_LIFE_MS = 1_600

/** Rejects unless the server votes in the end, once, and nothing half-added is left. */
export async function interruptedJoins(first: Product, { kills, seed }: InterruptedJoins): Promise<void> {
  const dataDir = tempDir()
  const random = seeded(seed).next
  const lives = Array.from({ length: kills }, () => Math.round(random() * LONGEST_LIFE_MS))
  for (const lifeMs of lives) await liveFor(lifeMs, first.kubeconfig, dataDir)
  await using joined = await joinServer(first.kubeconfig, { dataDir })
  const { stdout } = await flotilla(['cluster', 'members', '-o', 'json'], joined)
  const members: { name: string; role: string }[] = JSON.parse(stdout)
  assert.equal(members.map(({ role }) => role).toSorted(), ['leader', 'member'], `killed after ${lives.join(', ')} ms`)
  const { name, phase } = memberNotes(dataDir)
  assert.is(phase, 'member')
  const { code, stderr } = await flotilla(['cluster', 'remove', name], first)
  assert.is(code, 0, stderr)
}

async function liveFor(lifeMs: number, kubeconfig: string, dataDir: string): Promise<void> {
  const flags = ['--listen', '127.0.0.1:0', '--legacy-listen', '127.0.0.1:0', '--data-dir', dataDir]
  const running = await startProcess([process.execPath, BUNDLE, ...joinArguments(kubeconfig), ...flags])
  // The time it is given is the point here; whether it ends before is asked all the same.
  await within(lifeMs, running.exited, 'its end').catch(() => undefined)
  await running.crash()
}
