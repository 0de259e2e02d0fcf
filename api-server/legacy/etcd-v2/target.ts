/** The request's path and query as Go's mux sees them: decoded once, cleaned, or sent elsewhere where cleaning changed it. */
import { posix } from 'node:path'

export interface Target {
  /** Decoded and clean, a byte string; a trailing slash is kept. */
  readonly path: string
  readonly query: string
}

/** `undefined`: no path that HTTP knows. */
export type ParsedTarget = Target | { readonly moved: string } | undefined

/** No escape, no empty and no dotted component. */
const CLEAN = /^(?:\/[\w~-][\w.~!$&'()*+,;=:@-]*)+\/?$/

export function parseTarget(url: string): ParsedTarget {
  const at = url.indexOf('?')
  const raw = at < 0 ? url : url.slice(0, at)
  const query = at < 0 ? '' : url.slice(at + 1)
  if (CLEAN.test(raw)) return { path: raw, query }
  const decoded = percentDecode(pathOf(raw), 'path')
  if (decoded.ok === false) return undefined
  const path = posix.normalize(decoded.text.startsWith('/') ? decoded.text : `/${decoded.text}`)
  if (path === decoded.text) return { path, query }
  return { moved: escapePath(path) + (query === '' ? '' : `?${query}`) }
}

/** Proxies send the whole URL. */
function pathOf(raw: string): string {
  return raw.startsWith('/') ? raw : raw.replace(/^https?:\/\/[^/]*/i, '')
}

export type Unescaped = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly at: string }

/** Percent-decoding as Go's net/url does it; `at` is the escape that is none. In a query a plus is a space. */
export function percentDecode(text: string, where: 'path' | 'query'): Unescaped {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)
  if (bad) return { ok: false, at: bad[0] }
  const spaced = where === 'query' && text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return { ok: true, text: spaced }
  const decode = (hex: string) => String.fromCharCode(Number.parseInt(hex.slice(1), 16))
  return { ok: true, text: spaced.replace(/%[0-9a-fA-F]{2}/g, decode) }
}

/** What net/url leaves unescaped in a path. */
function escapePath(path: string): string {
  return path.replace(
    /[^\w.~$&+,/:;=@-]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
