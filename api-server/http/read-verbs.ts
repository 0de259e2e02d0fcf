/** get, list, watch. */
import { StatusError } from '../registry/errors.ts'
import { list as listEntries } from '../registry/list.ts'
import { toScale } from '../registry/scale.ts'
import { PARTIAL_FORMAT, tableHead, tableWriter } from '../registry/table.ts'
import { watch as watchEntries } from '../registry/watch.ts'
import { type Call, formatOf, map, placeOf } from './call.ts'
import { negotiate, parseInclude } from './negotiate.ts'
import { parseListOptions, parseWatch } from './parameters.ts'
import { sendBytes, sendPieces } from './reply.ts'
import { WatchStream } from './watch-stream.ts'

export function get(call: Call): void {
  const entry = call.registry.get(placeOf(call))
  if (call.target.subresource === 'scale') sendBytes(call.reply.raw, 200, toScale(call.target.kind, entry.bytes))
  else sendBytes(call.reply.raw, 200, formatOf(call).render(entry))
}

export async function list(call: Call): Promise<void> {
  const { registry, query, target, reply, request } = call
  const { kind } = target
  const form = negotiate(request.headers.accept)
  const { version, entries, continueToken, remaining } = await listEntries(
    registry,
    kind,
    parseListOptions(query, target),
  )
  const metadata = {
    resourceVersion: String(version),
    ...(continueToken && { continue: continueToken }),
    ...(remaining !== undefined && { remainingItemCount: remaining }),
  }
  if (form === 'table') {
    const include = parseInclude(query.get('includeObject'))
    const now = new Date()
    await sendPieces(
      reply.raw,
      tableHead(kind, metadata),
      map(entries, (entry) => tableWriter(kind).row(entry, include, now)),
      ']}\n',
    )
  } else {
    const [type, group] =
      form === 'partial' ? ['PartialObjectMetadata', 'meta.k8s.io/v1'] : [kind.kind, kind.apiVersion]
    const head = `{"kind":"${type}List","apiVersion":"${group}","metadata":${JSON.stringify(metadata)},"items":[`
    await sendPieces(
      reply.raw,
      head,
      map(entries, (entry) => (form === 'partial' ? PARTIAL_FORMAT.render(entry) : entry.bytes)),
      ']}\n',
    )
  }
}

export async function watch(call: Call): Promise<void> {
  const { registry, query, target, reply, streams } = call
  const { filter, after, bookmarks, initialEventsEnd, timeoutMs } = parseWatch(query, target)
  const format = formatOf(call)
  const stream = new WatchStream(reply.raw, {
    bookmarks,
    kind: target.kind,
    timeoutMs,
    version: () => registry.feed.revision,
  })
  streams.add(stream)
  stream.onClose(() => streams.delete(stream))
  try {
    const subscription = await watchEntries(registry, target.kind, { ...filter, after, format }, (line) =>
      stream.send(line),
    )
    stream.onClose(() => {
      subscription.cancel()
      streams.delete(stream)
    })
    for (const line of subscription.initial) stream.send(line)
    if (initialEventsEnd) stream.bookmark({ 'k8s.io/initial-events-end': 'true' })
  } catch (error) {
    // Once a watch has begun its errors are events; anything but 410 would stop a client-node informer for good.
    if (!(error instanceof StatusError)) throw error
    stream.send(Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`))
    stream.end()
  }
}
