/**
 * Writes `NAME=VALUE` as one word of an Environment= line, so that systemd reads exactly that value again: specifiers
 * doubled, the rest in double quotes with systemd.syntax(7)'s escapes. `$` means nothing in Environment=.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '%': '%%',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

/** The value must not hold a NUL: no process can be given one. */
export function quoteAssignment(name: string, value: string): string {
  return `"${name}=${value.replace(ODD, escapeChar)}"`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped
const ODD = /[\\"%\u0001-\u001f\u007f]/g

function escapeChar(char: string): string {
  return ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}
