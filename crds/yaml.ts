/** YAML as Kubernetes' own parser reads it (YAML 1.1: `0644` is 420, `no` is false), with bombs refused. */
import {
  type Document,
  type DocumentOptions,
  isScalar,
  Lexer,
  type ParseOptions,
  Parser,
  parseAllDocuments,
  type SchemaOptions,
  stringify,
  visit,
} from 'yaml'

const OPTIONS: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  merge: true,
  // The package compares each key with each: 20 000 of them take ten seconds. See `repeatedKey`.
  uniqueKeys: false,
  customTags: (tags) =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
}
const MAX_ALIASES = 100
const MAX_SHOWN_LENGTH = 100

/** More than any JSON body may have; each level is a token on the parser's stack. */
const MAX_DEPTH = 256

interface Budget {
  readonly tokens: number
  /** Tags, anchors and aliases: the package's time grows with their square. */
  readonly marks: number
}

/** Some 3 000 lines: a tenth of a second, in which nobody else is served. A long text in one block is a few tokens. */
const BODY_BUDGET: Budget = { tokens: 15_000, marks: 500 }
const NO_BUDGET: Budget = { tokens: Number.POSITIVE_INFINITY, marks: Number.POSITIVE_INFINITY }

/**
 * Throws for nesting on which the package would recurse until the stack ends, and with it the process: where a regular
 * expression is compiled on the last of the stack, V8 gives up instead of throwing (yaml 2.9, Node 20.20: 10 KB of `[`).
 * And for what would take long.
 */
function refuseHostile(text: string, budget: Budget): void {
  const parser = new Parser()
  let tokens = 0
  let marks = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (++tokens > budget.tokens) throw new Error(`more than ${budget.tokens} tokens: send JSON`)
    if (MARK.test(lexeme) && ++marks > budget.marks)
      throw new Error(`more than ${budget.marks} tags, anchors and aliases`)
    for (const _document of parser.next(lexeme)) {
      // Only the depth matters here.
    }
    if (parser.stack.length > MAX_DEPTH) throw new Error(`nested deeper than ${MAX_DEPTH} levels`)
  }
}

const MARK = /^[!&*]/

/** What is wrong where a mapping has a key twice. */
function repeatedKey(document: Document): string | undefined {
  let repeated: string | undefined
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) repeated = `Map keys must be unique: ${JSON.stringify(name)?.slice(0, MAX_SHOWN_LENGTH)}`
        seen.add(name)
      }
      return repeated === undefined ? undefined : visit.BREAK
    },
  })
  return repeated
}

/** Every document of a stream that is not empty. Throws with line and column on the first mistake. */
export function parseManifests(text: string): unknown[] {
  return parseWithin(text, NO_BUDGET)
}

function parseWithin(text: string, budget: Budget): unknown[] {
  refuseHostile(text, budget)
  const documents = parseAllDocuments(text, OPTIONS)
  if (!Array.isArray(documents)) return []
  return documents
    .map((document) => {
      const problem = document.errors[0]?.message ?? document.warnings[0]?.message ?? repeatedKey(document)
      if (problem !== undefined) throw new Error(problem)
      return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
    })
    .filter((value) => value !== null && value !== undefined)
}

/** The one document that a request body may hold. */
export function parseManifest(text: string): unknown {
  const documents = parseWithin(text, BODY_BUDGET)
  if (documents.length > 1) throw new Error(`expected one document, found ${documents.length}`)
  return documents[0]
}

export function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}
