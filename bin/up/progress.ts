/** What `up` says while it works: one line a step with its time, coloured on a terminal, plain off it. */
export interface Progress {
  /** Runs a step and says how long it took, or that it failed. */
  step<T>(what: string, run: () => Promise<T>): Promise<T>
  say(line: string): void
}

export function createProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  const colour = out.isTTY && !process.env.NO_COLOR
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  // A terminal that was closed, or a reader that has read enough, must not keep `up` from cleaning up after itself.
  out.on('error', () => undefined)
  const say = (line: string) => void out.write(`${line}\n`)
  return {
    say,
    step: async (what, run) => {
      const begun = performance.now()
      try {
        const result = await run()
        say(`${paint(32, '✓')} ${what} ${paint(2, `${((performance.now() - begun) / 1000).toFixed(2)} s`)}`)
        return result
      } catch (error) {
        say(`${paint(31, '✗')} ${what}`)
        throw error
      }
    },
  }
}
