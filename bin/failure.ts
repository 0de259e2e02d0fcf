/** How a command ends when it cannot do what it was asked: one sentence, exit code 1; the stack only on request. */
export function failWith(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`flotilla: ${message}\n`)
  if (process.env.FLOTILLA_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode ||= 1
}
