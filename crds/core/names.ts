/** Rules for names inside objects, in Kubernetes' own words. Each returns what is wrong, or undefined. */

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const SERVICE_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const CONFIG_KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
const ENV_RULE = "a valid environment variable name must consist only of printable ASCII characters other than '='"
const MAX_LABEL_LENGTH = 63
const MAX_NAME_LENGTH = 253

type Check = (name: string) => string | undefined

const rule =
  (pattern: RegExp, maxLength: number, message: string): Check =>
  (name) => {
    if (name.length > maxLength) return `must be no more than ${maxLength} characters`
    return pattern.test(name) ? undefined : message
  }

export const dnsLabel = rule(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, MAX_LABEL_LENGTH, LABEL_RULE)
export const serviceName = rule(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, MAX_LABEL_LENGTH, SERVICE_RULE)
export const environmentName = rule(/^[ -<>-~]+$/, Number.POSITIVE_INFINITY, ENV_RULE)

/** Keys of a ConfigMap's and a Secret's data: they become file names. */
export const configKey: Check = (name) => {
  if (name === '.' || name === '..') return `must not be '${name}'`
  if (name.startsWith('..')) return "must not start with '..'"
  return rule(/^[-._a-zA-Z0-9]+$/, MAX_NAME_LENGTH, CONFIG_KEY_RULE)(name)
}

/** Names of ports (IANA service names). */
export const portName: Check = (name) => {
  if (name.length > 15) return 'must be no more than 15 characters'
  if (!/^[-a-z0-9]+$/.test(name)) return 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
  if (!/[a-z]/.test(name)) return 'must contain at least one letter (a-z)'
  if (name.includes('--')) return 'must not contain consecutive hyphens'
  return /^-|-$/.test(name) ? 'must not begin or end with a hyphen' : undefined
}

/** Names that only have to be path segments: the registry checks those for every kind. */
export const pathSegment: Check = () => undefined
