/**
 * Writes `NAME=VALUE` as one word of an Environment= line, so that systemd reads exactly that value again: specifiers
 * doubled, the rest in double quotes with systemd.syntax(7)'s escapes. `$` means nothing in Environment=.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '%': '%%',
  '\n': '\\n',
  '\t': '\\t',
}

/** `wrongValue` must have let the value through. */
export function quoteAssignment(name: string, value: string): string {
  return `"${name}=${value.replace(/[\\"%\n\t]/g, (char) => ESCAPES[char] ?? char)}"`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what systemd refuses (env_value_is_valid)
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/
/** A string of the kernel's (MAX_ARG_STRLEN), NAME= and the end included. */
const MAX_BYTES = 128 * 1024

/** Why no process can be given this value by systemd, which would leave the variable out and say so in its log alone. */
export function wrongValue(name: string, value: string): string | undefined {
  const control = CONTROL.exec(value)?.[0]
  if (control !== undefined)
    return `holds the control character 0x${control.charCodeAt(0).toString(16).padStart(2, '0')}, and only line feeds and tabs can be in an environment: give it as a file`
  if (/\p{Surrogate}/u.test(value)) return 'is not valid Unicode'
  const bytes = Buffer.byteLength(`${name}=${value}`) + 1
  return bytes > MAX_BYTES
    ? `is ${bytes} bytes with its name, and ${MAX_BYTES} is the most that Linux takes`
    : undefined
}
