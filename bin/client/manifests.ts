/** Objects from files, folders and standard input, in the order given. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ApiObject } from '../../crds/kind.ts'
import { parseManifests } from '../../crds/yaml.ts'

export interface Manifest {
  readonly object: ApiObject
  /** File it came from, for messages. */
  readonly source: string
}
/** A document that cannot be used, beside those that can. */
export interface Mistake {
  readonly source: string
  readonly error: Error
}
export interface ReadOptions {
  readonly recursive?: boolean | undefined
  readonly stdin: Readable
}

const EXTENSIONS = new Set(['.yaml', '.yml', '.json'])
/** Far beyond any manifest; a wrong file (a disk image, a device) is refused instead of read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

/** Never rejects for what is in a file: that is a mistake in the list, and the rest goes on. */
export async function readManifests(
  paths: readonly string[],
  { recursive, stdin }: ReadOptions,
): Promise<(Manifest | Mistake)[]> {
  const found: (Manifest | Mistake)[] = []
  for (const path of paths) {
    try {
      for (const file of await filesAt(path, recursive === true)) found.push(...(await readOne(file, stdin)))
    } catch (error) {
      found.push({ source: path, error: error as Error })
    }
  }
  return found
}

async function filesAt(path: string, recursive: boolean): Promise<string[]> {
  if (path === '-') return [path]
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive })
  const files = entries.filter((entry) => entry.isFile() && EXTENSIONS.has(extname(entry.name)))
  if (files.length === 0)
    throw new Error(`no .yaml, .yml or .json file in it${recursive ? '' : '; -R looks in its folders too'}`)
  return files.map((entry) => join(entry.parentPath, entry.name)).toSorted()
}

async function readOne(path: string, stdin: Readable): Promise<(Manifest | Mistake)[]> {
  const source = path === '-' ? 'standard input' : path
  try {
    const documents = parseManifests(path === '-' ? await readStream(stdin) : await readText(path))
    return documents.flatMap(expandList).map((document) => check(document, source))
  } catch (error) {
    return [{ source, error: error as Error }]
  }
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes are too many for a manifest`)
  return await readFile(path, 'utf8')
}

async function readStream(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes are too many for a manifest`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What `get -o yaml` prints of several objects can be applied again. */
function expandList(document: unknown): unknown[] {
  const { kind, items } = (document ?? {}) as { kind?: unknown; items?: unknown }
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : [document]
}

function check(document: unknown, source: string): Manifest | Mistake {
  const wrong = problemOf(document)
  return wrong ? { source, error: new Error(wrong) } : { source, object: document as ApiObject }
}

function problemOf(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return 'holds no object'
  const { apiVersion, kind, metadata } = document as Partial<ApiObject>
  if (typeof apiVersion !== 'string' || apiVersion === '') return 'apiVersion is missing'
  if (typeof kind !== 'string' || kind === '') return 'kind is missing, or no text'
  if (typeof metadata?.name === 'string' && metadata.name !== '') return undefined
  return metadata?.generateName
    ? `${kind}: needs metadata.name, generateName is not enough`
    : `${kind}: metadata.name is missing, or no text`
}
