/**
 * Label selectors as clients write them in a query. The grammar, its order of complaints and their words are those of
 * apimachinery's labels.Parse (pkg/labels/selector.go of 1.32), where errors of the whole selector come without a prefix
 * and those of one requirement with one.
 */
import { badRequest, shown } from './errors.ts'
import { checkLabelValue, checkQualifiedName } from './names.ts'

export interface Requirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt'
  readonly values: readonly string[]
}

export type LabelSelector = readonly Requirement[]

const MAX_SELECTOR_LENGTH = 16_384
const TOKEN = /[ \t\r\n]*(?:(==|!=|[=!<>(),])|([^ \t\r\n=!<>(),]+))/y
const BINARY = new Map<string, Requirement['operator']>([
  ['in', 'in'],
  ['=', 'in'],
  ['==', 'in'],
  ['>', 'gt'],
  ['<', 'lt'],
  ['notin', 'notin'],
  ['!=', 'notin'],
])
const OPERATORS = 'in, notin, =, ==, !=, gt, lt'

/** Throws 400. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.length > MAX_SELECTOR_LENGTH) throw badRequest('label selector is too long')
  const tokens = new Tokens(text)
  const requirements: Requirement[] = []
  while (!tokens.isAt('')) {
    if (!tokens.isWord() && !tokens.isAt('!')) throw found(tokens.next(), "expected: !, identifier, or 'end of string'")
    requirements.push(inRequirement(() => parseRequirement(tokens)))
    const after = tokens.next()
    if (after === '') break
    if (after !== ',') throw found(after, "expected: ',' or 'end of string'")
    if (!tokens.isWord() && !tokens.isAt('!')) throw found(tokens.next(), "expected: identifier after ','")
  }
  return requirements
}

/** What lies ahead, and past it; `''` is the end. */
class Tokens {
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string) {
    TOKEN.lastIndex = 0
    for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text))
      this.#tokens.push(match[1] ?? match[2] ?? '')
  }

  isAt(token: string): boolean {
    return (this.#tokens[this.#at] ?? '') === token
  }
  isWord(): boolean {
    return /^[^=!<>(),]/.test(this.#tokens[this.#at] ?? '')
  }
  next(): string {
    return this.#tokens[this.#at++] ?? ''
  }
}

function inRequirement(parse: () => Requirement): Requirement {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Complaint) throw badRequest(`unable to parse requirement: ${error.message}`)
    throw error
  }
}

/** What is wrong with one requirement. */
class Complaint extends Error {}

function parseRequirement(tokens: Tokens): Requirement {
  const isAbsent = tokens.isAt('!')
  if (isAbsent) tokens.next()
  if (!tokens.isWord()) throw complaint(tokens.next(), ', expected: identifier')
  const key = tokens.next()
  const wrong = checkQualifiedName(key)
  if (wrong.length > 0) throw new Complaint(`<nil>: Invalid value: ${shown(key)}: ${wrong.join('; ')}`)
  if (isAbsent) return { key, operator: 'absent', values: [] }
  if (tokens.isAt('') || tokens.isAt(',')) return { key, operator: 'exists', values: [] }
  const sign = tokens.next()
  const operator = BINARY.get(sign)
  if (operator === undefined) throw complaint(sign, `, expected: ${OPERATORS}`)
  const values = sign === 'in' || sign === 'notin' ? parseSet(tokens) : [parseExact(tokens)]
  checkValues(key, operator, values)
  return { key, operator, values }
}

function parseExact(tokens: Tokens): string {
  if (tokens.isAt('') || tokens.isAt(',')) return ''
  if (!tokens.isWord()) throw complaint(tokens.next(), ', expected: identifier')
  return tokens.next()
}

/** In order, each once. */
function parseSet(tokens: Tokens): string[] {
  const first = tokens.next()
  if (first !== '(') throw complaint(first, " expected: '('")
  if (!tokens.isWord() && !tokens.isAt(',') && !tokens.isAt(')'))
    throw complaint(tokens.next(), ", expected: ',', ')' or identifier")
  const values = new Set<string>()
  for (;;) {
    values.add(tokens.isWord() ? tokens.next() : '')
    const after = tokens.next()
    if (after === ')') return [...values].sort()
    if (after !== ',') throw complaint(after, ", expected: ',' or ')'")
  }
}

function checkValues(key: string, operator: Requirement['operator'], values: readonly string[]): void {
  const wrong: string[] = []
  const tell = (field: string, value: string, why: string) =>
    wrong.push(`${field}: Invalid value: ${shown(value)}: ${why}`)
  for (const [at, value] of values.entries())
    if ((operator === 'gt' || operator === 'lt') && !isInteger(value))
      tell(`values[${at}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")
  for (const [at, value] of values.entries()) {
    const why = checkLabelValue(value)
    if (why.length > 0) tell(`values[${at}][${key}]`, value, why.join('; '))
  }
  if (wrong.length > 0) throw new Complaint(wrong.length === 1 ? wrong[0] : `[${wrong.join(', ')}]`)
}

const found = (token: string, expected: string) => badRequest(`found '${token}', ${expected}`)
const complaint = (token: string, expected: string) => new Complaint(`found '${token}'${expected}`)

export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean {
  return selector.every((requirement) => {
    const value = labels !== undefined && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined
    return meets(requirement, value)
  })
}

function meets({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value)
    case 'notin':
      return value === undefined || !values.includes(value)
    case 'exists':
      return value !== undefined
    case 'absent':
      return value === undefined
    case 'gt':
      return isInteger(value) && BigInt(value) > BigInt(values[0] ?? 0)
    case 'lt':
      return isInteger(value) && BigInt(value) < BigInt(values[0] ?? 0)
  }
}

/** As Go reads one of 64 bits; BigInt does not know the plus that Go allows, and no label may have it. */
function isInteger(value: string | undefined): value is string {
  return value !== undefined && /^-?\d{1,19}$/.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value)
}
