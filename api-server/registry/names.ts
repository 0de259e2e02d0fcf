/** Rules for names, labels and annotations that hold for every kind (Kubernetes' own wording where users know it). */
import type { Kind, Metadata, OwnerReference } from '../../crds/kind.ts'
import { type Cause, invalidValue } from './errors.ts'

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const MAX_NAME_LENGTH = 253
const MAX_ANNOTATIONS_BYTES = 256 * 1024

export function checkSubdomain(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return 'must be no more than 253 characters'
  return SUBDOMAIN.test(name) ? undefined : SUBDOMAIN_RULE
}

/** Whether a decoded path segment may name anything at all; keeps `..`, `%00` and double encoding out of the keys. */
export function checkPathSegment(name: string): string | undefined {
  if (name === '.' || name === '..') return `may not be '${name}'`
  if (name.includes('/')) return "may not contain '/'"
  if (name.includes('%')) return "may not contain '%'"
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'may not contain control characters'
  return Buffer.byteLength(name) > MAX_NAME_LENGTH ? 'must be no more than 253 bytes' : undefined
}

export function checkMetadata(kind: Kind, metadata: Metadata): Cause[] {
  return [
    ...checkName(kind, metadata),
    ...checkLabels(metadata),
    ...checkAnnotations(metadata),
    ...checkOwners(metadata),
    ...checkFinalizers(metadata),
  ]
}

function checkName(kind: Kind, { name }: Metadata): Cause[] {
  if (typeof name !== 'string' || name === '')
    return [
      {
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
        field: 'metadata.name',
      },
    ]
  const wrong = checkPathSegment(name) ?? (kind.checkName ?? checkSubdomain)(name)
  return wrong === undefined ? [] : [invalidValue('metadata.name', name, wrong)]
}

function checkLabels({ labels = {} }: Metadata): Cause[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => {
    const told = (text: string) => (why: string) => invalidValue('metadata.labels', text, why)
    return [...checkQualifiedName(key).map(told(key)), ...checkLabelValue(value).map(told(value))]
  })
}

const LABEL_VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

export function checkLabelValue(value: string): string[] {
  if (value === '') return []
  return rules(value.length > MAX_PART && TOO_LONG, !LABEL_PART.test(value) && LABEL_VALUE_RULE)
}

function checkAnnotations({ annotations = {} }: Metadata): Cause[] {
  const entries = Object.entries(annotations ?? {})
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  const causes = entries.flatMap(([key]) =>
    checkQualifiedName(key.toLowerCase()).map((why) => invalidValue('metadata.annotations', key, why)),
  )
  if (bytes > MAX_ANNOTATIONS_BYTES)
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`,
      field: 'metadata.annotations',
    })
  return causes
}

/** Only one owner may be the controller, and no Event owns anything: it does not last. */
function checkOwners({ ownerReferences }: Metadata): Cause[] {
  const field = 'metadata.ownerReferences'
  const owners = ownerReferences ?? []
  const causes = owners
    .filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Event')
    .map((owner) => invalidValue(field, owner, '/v1, Kind=Event is disallowed from being an owner'))
  const shown = ({ kind, name }: OwnerReference) => `${kind}/${name}`
  const [first, ...others] = owners.filter(({ controller }) => controller === true)
  if (first === undefined) return causes
  const why = (other: OwnerReference) =>
    `Only one reference can have Controller set to true. Found "true" in references for ${shown(first)} and ${shown(other)}`
  return [...causes, ...others.map((other) => invalidValue(field, owners, why(other)))]
}

/** Removes owners that are named twice; says so, as a Warning header will. */
export function dropRepeatedOwners(metadata: Metadata): string[] {
  const owners = metadata.ownerReferences ?? []
  const seen = new Set<string>()
  const repeated = new Set<string>()
  const kept = owners.filter(({ uid }) => {
    if (seen.has(uid)) repeated.add(uid)
    const isFirst = !seen.has(uid)
    seen.add(uid)
    return isFirst
  })
  if (repeated.size === 0) return []
  metadata.ownerReferences = kept
  return [
    `.metadata.ownerReferences contains duplicate entries, kept once; duplicate UID(s): ${[...repeated].join(', ').slice(0, 200)}`,
  ]
}

function checkFinalizers({ finalizers }: Metadata): Cause[] {
  const field = 'metadata.finalizers'
  const causes = (finalizers ?? []).flatMap((name) =>
    checkQualifiedName(name).map((why) => invalidValue(field, name, why)),
  )
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion'))
    causes.push(invalidValue(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  return causes
}

/** What is wrong with the key of a label, an annotation or a finalizer; nothing: no sentence. */
export function checkQualifiedName(key: string): string[] {
  const parts = key.split('/')
  if (parts.length > 2) return [QUALIFIED_NAME_RULE]
  const [prefix, name = ''] = parts.length === 2 ? parts : [undefined, key]
  return rules(
    prefix === ''
      ? 'prefix part must be non-empty'
      : prefix && checkSubdomain(prefix) && `prefix part ${SUBDOMAIN_RULE}`,
    name === '' ? 'name part must be non-empty' : name.length > MAX_PART && `name part ${TOO_LONG}`,
    !LABEL_PART.test(name) && `name part ${NAME_RULE}`,
  )
}

const MAX_PART = 63
const TOO_LONG = `must be no more than ${MAX_PART} characters`
const LABEL_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const QUALIFIED_NAME_RULE = `a qualified name ${NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`

/** Those that are broken. */
function rules(...all: readonly (string | false | undefined)[]): string[] {
  return all.filter((one): one is string => typeof one === 'string' && one !== '')
}

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** generateName's suffix; `random` yields 0 ≤ x < 1. */
export function generatedName(prefix: string, random: () => number = Math.random): string {
  const suffix = Array.from({ length: 5 }, () => SUFFIX_ALPHABET[Math.floor(random() * SUFFIX_ALPHABET.length)])
  return prefix.slice(0, MAX_NAME_LENGTH - 5) + suffix.join('')
}
