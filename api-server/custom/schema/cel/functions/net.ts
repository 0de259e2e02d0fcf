/** Kubernetes' URL, IP and CIDR libraries. */
import { BlockList, isIP } from 'node:net'
import type { Environment } from '@marcbachmann/cel-js'

const SYNC = { async: false }
type Add = (signature: string, handler: (...args: never[]) => unknown) => void

export function registerNet(environment: Environment): void {
  const add: Add = (signature, handler) =>
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, SYNC)
  registerUrl(environment, add)
  registerIp(environment, add)
  registerCidr(environment, add)
}

class Url {
  readonly url: URL
  /** The given text had an authority (`//host`), so the host in `url` is its own. */
  readonly hasHost: boolean
  constructor(url: URL, hasHost: boolean) {
    this.url = url
    this.hasHost = hasHost
  }
}

/** As Go's url.ParseRequestURI: an absolute URL or an absolute path. */
function parseUrl(text: string): Url | undefined {
  const isPath = text.startsWith('/') && !text.startsWith('//')
  if (!isPath && !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return undefined
  try {
    return new Url(new URL(isPath ? `path:${text}` : text), /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text))
  } catch {
    return undefined // not a URL, which is the answer
  }
}

function registerUrl(environment: Environment, add: Add): void {
  environment
    .registerType('URL', { ctor: Url, fields: {} })
    .registerOperator('URL == URL: bool', (a: Url, b: Url) => a.url.href === b.url.href)
  add('url(string): URL', (text: string) => parseUrl(text) ?? fail('URL parse error during conversion from string'))
  add('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
  add('URL.getScheme(): string', ({ url }: Url) => (url.protocol === 'path:' ? '' : url.protocol.slice(0, -1)))
  add('URL.getHost(): string', ({ url, hasHost }: Url) => (hasHost ? url.host : ''))
  add('URL.getHostname(): string', ({ url, hasHost }: Url) => (hasHost ? url.hostname.replace(/^\[|\]$/g, '') : ''))
  add('URL.getPort(): string', ({ url }: Url) => url.port)
  add('URL.getEscapedPath(): string', ({ url }: Url) => url.pathname)
  add('URL.getQuery(): map<string, list<string>>', ({ url }: Url) => {
    const query = new Map<string, string[]>()
    for (const [key, value] of url.searchParams) query.set(key, [...(query.get(key) ?? []), value])
    return query
  })
}

class Ip {
  readonly text: string
  readonly family: 4 | 6
  constructor(text: string, family: 4 | 6) {
    this.text = text
    this.family = family
  }
}

class Cidr {
  readonly ip: Ip
  readonly bits: number
  constructor(ip: Ip, bits: number) {
    this.ip = ip
    this.bits = bits
  }
}

/** No zones, no IPv4 in IPv6, as Kubernetes' ip() takes none. */
function parseIp(text: string): Ip | undefined {
  const family = text.length > 45 || text.includes('%') ? 0 : isIP(text)
  if (family === 4) return new Ip(text, 4)
  if (family !== 6 || /^[0:]*:ffff:[\d.]+$/i.test(text)) return undefined
  return new Ip(new URL(`http://[${text}]`).hostname.slice(1, -1), 6)
}

function parseCidr(text: string): Cidr | undefined {
  const [address = '', bits = '', more] = text.slice(0, 60).split('/')
  const ip = parseIp(address)
  const max = ip?.family === 4 ? 32 : 128
  return ip && more === undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= max
    ? new Cidr(ip, Number(bits))
    : undefined
}

const ip = (text: string): Ip => parseIp(text) ?? fail(`IP Address "${text}" parse error during conversion from string`)
const cidr = (text: string): Cidr =>
  parseCidr(text) ?? fail('network address parse error during conversion from string')

function isIn({ ip: address, bits }: Cidr, one: Ip): boolean {
  if (address.family !== one.family) return false
  const list = new BlockList()
  list.addSubnet(address.text, bits, address.family === 4 ? 'ipv4' : 'ipv6')
  return list.check(one.text, one.family === 4 ? 'ipv4' : 'ipv6')
}

const within = (one: Ip, ...blocks: readonly string[]): boolean => blocks.some((block) => isIn(cidr(block), one))
const isUnspecified = (one: Ip): boolean => within(one, '0.0.0.0/32', '::/128')
const isLoopback = (one: Ip): boolean => within(one, '127.0.0.0/8', '::1/128')
const isLinkLocal = (one: Ip): boolean => within(one, '169.254.0.0/16', 'fe80::/10')
const isMulticast = (one: Ip): boolean => within(one, '224.0.0.0/4', 'ff00::/8')

function registerIp(environment: Environment, add: Add): void {
  environment
    .registerType('IP', { ctor: Ip, fields: {} })
    .registerOperator('IP == IP: bool', (a: Ip, b: Ip) => a.text === b.text)
  add('ip(string): IP', ip)
  add('isIP(string): bool', (text: string) => parseIp(text) !== undefined)
  add('string(IP): string', ({ text }: Ip) => text)
  add('IP.family(): int', ({ family }: Ip) => BigInt(family))
  add('IP.isUnspecified(): bool', isUnspecified)
  add('IP.isLoopback(): bool', isLoopback)
  add('IP.isLinkLocalUnicast(): bool', isLinkLocal)
  add('IP.isLinkLocalMulticast(): bool', (one: Ip) => within(one, '224.0.0.0/24', 'ff02::/16'))
  add('IP.isGlobalUnicast(): bool', (one: Ip) => {
    const isBroadcast = one.text === '255.255.255.255'
    return !isUnspecified(one) && !isLoopback(one) && !isMulticast(one) && !isLinkLocal(one) && !isBroadcast
  })
}

function registerCidr(environment: Environment, add: Add): void {
  const holds = (outer: Cidr, inner: Cidr) => inner.bits >= outer.bits && isIn(outer, inner.ip)
  environment
    .registerType('CIDR', { ctor: Cidr, fields: {} })
    .registerOperator('CIDR == CIDR: bool', (a: Cidr, b: Cidr) => a.bits === b.bits && a.ip.text === b.ip.text)
  add('cidr(string): CIDR', cidr)
  add('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined)
  add('string(CIDR): string', (one: Cidr) => `${one.ip.text}/${one.bits}`)
  add('CIDR.ip(): IP', (one: Cidr) => one.ip)
  add('CIDR.prefixLength(): int', ({ bits }: Cidr) => BigInt(bits))
  add('CIDR.containsIP(IP): bool', isIn)
  add('CIDR.containsIP(string): bool', (one: Cidr, text: string) => isIn(one, ip(text)))
  add('CIDR.containsCIDR(CIDR): bool', holds)
  add('CIDR.containsCIDR(string): bool', (one: Cidr, text: string) => holds(one, cidr(text)))
}

function fail(why: string): never {
  throw new Error(why)
}
