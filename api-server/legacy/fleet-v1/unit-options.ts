/**
 * Unit files as fleet's API has them: a list of options, each with its section. Source: fleet's use of go-systemd, as
 * observed (spec: fleet §2). Comments and empty lines are no options; a line that ends in a backslash goes on in the next
 * one, and both stay in the value; in a text made from options each section comes once, where it is first seen.
 */
import { createHash } from 'node:crypto'

export interface UnitOption {
  readonly section: string
  readonly name: string
  readonly value: string
}

/** What is no option and no section is passed over; so are options before the first section. */
export function optionsOf(text: string): UnitOption[] {
  const options: UnitOption[] = []
  const lines = text.split(/\r\n|\n/)
  let section: string | undefined
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? '').trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    if (line.startsWith('[')) {
      const end = line.indexOf(']')
      section = end < 0 ? section : line.slice(1, end)
      continue
    }
    const whole = continued(lines, at)
    at += whole.length - 1
    const option = section === undefined ? undefined : optionIn(section, whole.join('\n'))
    if (option) options.push(option)
  }
  return options
}

/** The line and those that it goes on in; an empty one ends it. */
function continued(lines: readonly string[], first: number): string[] {
  const whole = [lines[first] ?? '']
  while (whole.at(-1)?.endsWith('\\')) {
    const next = lines[first + whole.length]
    if (next === undefined || next.trim() === '') break
    whole.push(next)
  }
  return whole
}

function optionIn(section: string, line: string): UnitOption | undefined {
  const equals = line.indexOf('=')
  const name = line.slice(0, Math.max(0, equals)).trim()
  return name === '' || name.includes('\n') ? undefined : { section, name, value: line.slice(equals + 1).trim() }
}

/** The form in which fleet stores a unit file and takes its hash. */
export function textOf(options: readonly UnitOption[]): string {
  const sections = new Map<string, string[]>()
  for (const { section, name, value } of options) {
    const lines = sections.get(section) ?? []
    sections.set(section, lines)
    lines.push(`${name}=${value}\n`)
  }
  return [...sections].map(([section, lines]) => `[${section}]\n${lines.join('')}`).join('\n')
}

/** Why a text made of these would say something else than they do; undefined when it says just that. */
export function checkOptions(options: readonly UnitOption[]): string | undefined {
  for (const option of options) {
    const why = checkOption(option)
    if (why !== undefined) return `invalid option ${JSON.stringify(`${option.section}.${option.name}`)}: ${why}`
  }
  return undefined
}

function checkOption({ section, name, value }: UnitOption): string | undefined {
  if (!/^[^[\]\n\r]+$/.test(section)) return 'its section must be one line without brackets'
  if (name.trim() === '' || /[=\n\r]/.test(name) || /^\s*[[#;]/.test(name))
    return 'its name must be one line, without "=", that is no comment and no section'
  return /(?<!\\)[\n\r]/.test(value) ? 'a line of its value that goes on must end in a backslash' : undefined
}

/** SHA-1 of the text, 40 hex digits; equal texts have equal hashes, whatever the units are called. */
export function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
