/** Parameters from query and body, read as Go's `Request.ParseForm` reads them (net/http and mime of Go 1.19). */
import { percentDecode } from './target.ts'

/** The first value of each name; the body's come before the query's. */
export type Form = ReadonlyMap<string, string>

export type ParsedForm = { readonly form: Form; readonly fault: string | undefined }

export const MAX_FORM_BYTES = 10 * 1024 * 1024
const EMPTY: ParsedForm = { form: new Map(), fault: undefined }

/** `body` is undefined where none was sent as a form. */
export function parseForm(query: string, body: string | undefined, mediaFault: string | undefined): ParsedForm {
  if (query === '' && !body && mediaFault === undefined) return EMPTY
  const form = new Map<string, string>()
  const bodyFault = body === undefined ? undefined : readPairs(body, form)
  const queryFault = readPairs(query, form)
  return { form, fault: mediaFault ?? bodyFault ?? queryFault }
}

function readPairs(text: string, into: Map<string, string>): string | undefined {
  let fault: string | undefined
  for (const pair of text === '' ? [] : text.split('&')) {
    if (pair.includes(';')) {
      fault = 'invalid semicolon separator in query'
      continue
    }
    if (pair === '') continue
    const bad = readPair(pair, into)
    if (bad !== undefined) fault ??= escapeFault(bad)
  }
  return fault
}

/** Returns the escape that is none. */
function readPair(pair: string, into: Map<string, string>): string | undefined {
  const at = pair.indexOf('=')
  const name = percentDecode(at < 0 ? pair : pair.slice(0, at), 'query')
  if (!name.ok) return name.at
  const value = percentDecode(at < 0 ? '' : pair.slice(at + 1), 'query')
  if (!value.ok) return value.at
  if (!into.has(name.text)) into.set(name.text, value.text)
  return undefined
}

function escapeFault(bad: string): string {
  return `invalid URL escape ${goQuote(bad)}`
}

/** Go's strconv.Quote, as far as an escape of three bytes can need it. */
function goQuote(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8')
  if (!text.includes('\ufffd')) return Buffer.from(JSON.stringify(text), 'utf8').toString('latin1')
  const hex = (unit: string) => `\\x${unit.charCodeAt(0).toString(16)}`
  return JSON.stringify(bytes).replace(/[\u0080-\u00ff]/g, hex)
}

export interface Media {
  readonly isForm: boolean
  readonly fault: string | undefined
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
const PARAMETER = new RegExp(`^\\s*;\\s*(${TOKEN}+)\\s*=\\s*(?:${TOKEN}+|"(?:[^"\\\\]|\\\\.)*")`)
const PLAIN_FORM = 'application/x-www-form-urlencoded'

/** What a Content-Type says; a broken one is a fault even where there is no body. */
export function readMedia(contentType: string | undefined): Media {
  if (contentType === PLAIN_FORM) return { isForm: true, fault: undefined }
  if (!contentType) return { isForm: false, fault: undefined }
  const end = contentType.indexOf(';')
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
  const fault = typeFault(type) ?? (end < 0 ? undefined : parameterFault(contentType.slice(end)))
  const isUsable = fault === undefined || fault === INVALID_PARAMETER
  return { isForm: isUsable && type === PLAIN_FORM, fault }
}

const INVALID_PARAMETER = 'mime: invalid media parameter'

function typeFault(type: string): string | undefined {
  const [, main = '', rest = ''] = new RegExp(`^(${TOKEN}*)(.*)$`, 's').exec(type) ?? []
  if (main === '') return 'mime: no media type'
  if (rest === '') return undefined
  if (!rest.startsWith('/')) return 'mime: expected slash after first token'
  const [, sub = '', more = ''] = new RegExp(`^/(${TOKEN}*)(.*)$`, 's').exec(rest) ?? []
  if (sub === '') return 'mime: expected token after slash'
  return more === '' ? undefined : 'mime: unexpected content after media subtype'
}

function parameterFault(text: string): string | undefined {
  const seen = new Set<string>()
  for (let rest = text; rest.trim() !== '' && rest.trim() !== ';'; ) {
    const match = PARAMETER.exec(rest)
    const name = match?.[1]?.toLowerCase()
    if (!match || name === undefined) return INVALID_PARAMETER
    if (seen.has(name)) return 'mime: duplicate parameter name'
    seen.add(name)
    rest = rest.slice(match[0].length)
  }
  return undefined
}
