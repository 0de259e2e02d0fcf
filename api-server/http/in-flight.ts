/** How many answers are still on their way, and when the last of them has left. */
import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export class InFlight {
  readonly #settled = new EventEmitter()
  #count = 0

  add(response: ServerResponse): void {
    this.#count++
    response.once('close', () => {
      this.#count--
      if (this.#count === 0) this.#settled.emit('idle')
    })
  }

  /** Resolves when nothing is on its way, or after `timeoutMs`. */
  async settle(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return
    const stop = new AbortController()
    const { signal } = stop
    const idle = once(this.#settled, 'idle', { signal })
    await Promise.race([idle, delay(timeoutMs, undefined, { signal })]).catch(() => undefined)
    idle.catch(() => undefined)
    stop.abort()
  }
}
