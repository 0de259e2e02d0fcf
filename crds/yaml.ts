/** YAML as Kubernetes' own parser reads it (YAML 1.1: `0644` is 420, `no` is false), with bombs refused. */
import { type DocumentOptions, type ParseOptions, parseAllDocuments, type SchemaOptions, stringify } from 'yaml'

const OPTIONS: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  merge: true,
  uniqueKeys: true,
  customTags: (tags) =>
    tags.filter(
      (tag) => typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME'),
    ),
}
const MAX_ALIASES = 100

/** Every document of a stream that is not empty. Throws with line and column on the first mistake. */
export function parseManifests(text: string): unknown[] {
  const documents = parseAllDocuments(text, OPTIONS)
  if (!Array.isArray(documents)) return []
  return documents
    .map((document) => {
      const problem = document.errors[0] ?? document.warnings[0]
      if (problem) throw new Error(problem.message)
      return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
    })
    .filter((value) => value !== null && value !== undefined)
}

/** The one document that a request body may hold. */
export function parseManifest(text: string): unknown {
  const documents = parseManifests(text)
  if (documents.length > 1) throw new Error(`expected one document, found ${documents.length}`)
  return documents[0]
}

export function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}
