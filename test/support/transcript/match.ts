/** Whether what was printed is what a transcript expects. */

export const ANY_LINES = '...'
const ANY_TEXT = '…'

/** Blanks only part words: columns are as wide as their widest cell, and releases indent differently. */
function plain(line: string): string {
  return line.trim().replace(/\s+/g, ' ')
}

function patternOf(expected: string): RegExp {
  const parts = plain(expected).split(ANY_TEXT)
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`)
}

/** The lines of an output that mean something, in the form they are compared in. */
export function linesOf(output: string): string[] {
  return output
    .split('\n')
    .map(plain)
    .filter((line) => line !== '')
}

export function matches(expected: readonly string[], output: string): boolean {
  const actual = linesOf(output)
  const patterns = expected.map((line) => (line === ANY_LINES ? undefined : patternOf(line)))
  // ends[i]: the patterns so far can end before the actual line i.
  let ends = [true, ...actual.map(() => false)]
  for (const pattern of patterns) ends = pattern === undefined ? spread(ends) : step(ends, pattern, actual)
  return ends.at(-1) === true
}

function spread(ends: readonly boolean[]): boolean[] {
  const first = ends.indexOf(true)
  return ends.map((_, at) => first >= 0 && at >= first)
}

function step(ends: readonly boolean[], pattern: RegExp, actual: readonly string[]): boolean[] {
  return [false, ...actual.map((line, at) => ends[at] === true && pattern.test(line))]
}
