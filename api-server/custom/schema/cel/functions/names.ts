/** Functions that cel-js has too, but not as CEL has them: ours are registered under other names, and calls renamed. */

const PREFIX = 'flotilla_'
const RENAMED: ReadonlySet<string> = new Set(['matches', 'join', 'lowerAscii', 'upperAscii'])

export const ownName = (name: string): string => (RENAMED.has(name) ? PREFIX + name : name)

/** A message of cel-js without our prefix. */
export const shownName = (text: string): string => text.replaceAll(PREFIX, '')
