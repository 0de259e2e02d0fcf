/** IPv4 ranges in the two ways they are written: `10.1.5.0/24` in objects, `10.1.5.0-24` in keys. */
export interface Ipv4Range {
  /** The first address. */
  readonly address: string
  readonly length: number
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ADDRESS = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)
const RANGE = new RegExp(`^(${OCTET}(?:\\.${OCTET}){3})([/-])(3[0-2]|[12]?\\d)$`)

export function isIpv4(text: string): boolean {
  return ADDRESS.test(text)
}

/** Undefined where it is none, or where bits beyond its length are set: each range has one spelling. */
export function parseRange(text: string, separator: '/' | '-'): Ipv4Range | undefined {
  const [, address = '', found, length = ''] = RANGE.exec(text) ?? []
  if (found !== separator) return undefined
  const hostBits = 32 - Number(length)
  const isFirst = numberOf(address) % 2 ** hostBits === 0
  return isFirst ? { address, length: Number(length) } : undefined
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

/** The range that an address with a length lies in; undefined where it is no such text. */
export function rangeAround(text: string): string | undefined {
  const [, address, separator, length] = RANGE.exec(text) ?? []
  if (address === undefined || separator !== '/') return undefined
  const size = 2 ** (32 - Number(length))
  const first = Math.floor(numberOf(address) / size) * size
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${length}`
}
