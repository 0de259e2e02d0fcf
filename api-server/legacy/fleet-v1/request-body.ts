/** JSON bodies, as fleet takes them: the content type first, then the text, then the shape. */
import type { IncomingMessage } from 'node:http'
import * as z from 'zod'
import { Refusal } from './refusal.ts'

/** A unit file of our limit, as options, in JSON. */
const MAX_BODY_BYTES = 2 * 1024 * 1024
/** All that are being read at a time. */
const MAX_TOGETHER_BYTES = 64 * 1024 * 1024

const text = z.string().nullish()

/** What a client leaves out is empty, as in Go; what fleet does not know is passed over. */
export const UnitBody = z.object({
  name: text,
  desiredState: text,
  options: z.array(z.object({ section: text, name: text, value: text })).nullish(),
})
export type UnitBody = z.output<typeof UnitBody>

export const PatchBody = z
  .array(z.object({ op: text, path: text, value: z.object({ value: text }).nullish() }))
  .nullable()

export interface BodyReader {
  /** Rejects with a Refusal, or when the client goes away first. */
  read<T>(request: IncomingMessage, shape: z.ZodType<T>): Promise<T>
}

export function createBodyReader(): BodyReader {
  const held = { bytes: 0 }
  return {
    read: async (request, shape) => {
      checkType(request)
      return decode(await readText(request, held), shape)
    },
  }
}

function checkType({ headersDistinct }: IncomingMessage): void {
  const types = headersDistinct['content-type'] ?? []
  if (types.length !== 1) throw new Refusal(415, `expected 1 Content-Type, got ${types.length}`)
  const [type = ''] = (types[0] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json')
    throw new Refusal(415, 'only acceptable Content-Type is application/json')
}

async function readText(request: IncomingMessage, held: { bytes: number }): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    // Else it would be destroyed with the refusal, and nobody told.
    const arriving: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false })
    for await (const chunk of arriving) {
      chunks.push(chunk)
      bytes += chunk.length
      held.bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `the body must not exceed ${MAX_BODY_BYTES} bytes`)
      if (held.bytes > MAX_TOGETHER_BYTES) throw new Refusal(503, 'too many large bodies at once; try again')
    }
    return Buffer.concat(chunks).toString('utf8')
  } finally {
    held.bytes -= bytes
  }
}

function decode<T>(body: string, shape: z.ZodType<T>): T {
  const parsed = shape.safeParse(parse(body))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw undecodable(`${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}

function parse(body: string): unknown {
  if (body.trim() === '') throw undecodable('EOF')
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw undecodable((cause as Error).message)
  }
}

const undecodable = (why: string) => new Refusal(400, `unable to decode body: ${why}`)
