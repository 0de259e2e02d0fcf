/** One after another, for those who want the same: who comes second would lose the race and begin again. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` at once when nobody else works on `key`, else when all who came before have done. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = before === undefined ? work() : before.then(work, work)
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }
}
