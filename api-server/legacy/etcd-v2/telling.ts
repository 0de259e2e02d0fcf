/** When the answers to writes are given. */
import { setImmediate as turn } from 'node:timers/promises'

/** Gives the answers of a batch that is durable and in the tree. */
export type Tell = () => void
export const NOTHING: Tell = () => undefined

/**
 * Writing a batch's answers takes as long as a quick disk takes for a batch: they are written while the next one is
 * on its way. That takes the store two turns of the event loop: one to gather, one to begin.
 */
export async function untilOnItsWay(): Promise<void> {
  await turn()
  await turn()
}
