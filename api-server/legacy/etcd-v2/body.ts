/** Bodies, up to the limit of a form. All bodies together are bounded too: many large ones at once are an attack. */
import type { IncomingMessage } from 'node:http'
import { MAX_FORM_BYTES } from './form.ts'

const MAX_TOGETHER_BYTES = 256 * 1024 * 1024

export type Body = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: 'large' | 'busy' }

export interface BodyReader {
  /** `done` is not called when the client goes away first. */
  read(request: IncomingMessage, done: (body: Body) => void): void
}

export function createBodyReader(): BodyReader {
  let held = 0
  return {
    read: (request, done) => {
      const chunks: Buffer[] = []
      let bytes = 0
      let ended = false
      const end = (body: Body | undefined) => {
        if (ended) return
        ended = true
        held -= bytes
        request.off('data', take)
        if (body) done(body)
      }
      const take = (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        held += chunk.length
        if (bytes > MAX_FORM_BYTES) end({ ok: false, why: 'large' })
        else if (held > MAX_TOGETHER_BYTES) end({ ok: false, why: 'busy' })
      }
      request.on('data', take)
      request.once('end', () => end({ ok: true, text: textOf(chunks) }))
      request.once('close', () => end(undefined))
    },
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks
  if (first === undefined) return ''
  return (chunks.length === 1 ? first : Buffer.concat(chunks)).toString('latin1')
}
