/** get, list, watch. */
import { StatusError } from '../registry/errors.ts'
import { list as listEntries, waitUntil } from '../registry/list.ts'
import { nodeLease } from '../registry/node-lease.ts'
import { toScale } from '../registry/scale.ts'
import { PARTIAL_FORMAT, PARTIAL_KIND, tableHead, tableWriter } from '../registry/table.ts'
import { watch as watchEntries } from '../registry/watch.ts'
import { type Call, formatOf, map, placeOf } from './call.ts'
import { unitPod, unitPods } from './drain-view.ts'
import { negotiate, parseInclude } from './negotiate.ts'
import { parseListOptions, parseVersion, parseWatch } from './parameters.ts'
import { sendBytes, sendPieces, warningHeaders } from './reply.ts'

/** Without a resourceVersion the newest is meant, whichever server wrote it; a page goes on from its first one. */
async function beFresh({ registry, query }: Call): Promise<void> {
  if (!query.get('resourceVersion') && !query.get('continue')) await registry.fresh.ensure()
}

export async function get(call: Call): Promise<void> {
  const version = parseVersion(call.query.get('resourceVersion'))
  await beFresh(call)
  if (version !== undefined) await waitUntil(call.registry, version)
  const entry = nodeLease(call.registry, placeOf(call)) ?? unitPod(call) ?? call.registry.get(placeOf(call))
  if (call.target.subresource === 'scale') sendBytes(call.reply.raw, 200, toScale(call.target.kind, entry.bytes))
  else sendBytes(call.reply.raw, 200, formatOf(call).render(entry))
}

export async function list(call: Call): Promise<void> {
  const { registry, query, target, reply, request } = call
  const { kind } = target
  const form = negotiate(request.headers.accept)
  await beFresh(call)
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
    const { kind: type, apiVersion } = form === 'partial' ? PARTIAL_KIND : kind
    const head = `{"kind":"${type}List","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`
    const seen = form === 'partial' || continueToken ? undefined : await unitPods(call)
    if (seen && seen.warnings.length > 0) reply.raw.setHeader('warning', warningHeaders(seen.warnings).warning ?? [])
    const pieces = map(entries, (entry) => (form === 'partial' ? PARTIAL_FORMAT.render(entry) : entry.bytes))
    await sendPieces(reply.raw, head, seen ? [...pieces, ...seen.pods] : pieces, ']}\n')
  }
}

export async function watch(call: Call): Promise<void> {
  const { registry, query, target, reply, streams } = call
  const parameters = parseWatch(query, target)
  const format = formatOf(call)
  const version = () => registry.feed.revision
  const kind = format === PARTIAL_FORMAT ? PARTIAL_KIND : target.kind
  await beFresh(call)
  const stream = streams.open(reply.raw, { ...parameters, kind, version })
  const after = parameters.after === 'now' ? version() : parameters.after
  try {
    const options = { ...parameters.filter, after, format, ended: () => stream.end() }
    const subscription = await watchEntries(registry, target.kind, options, (line) => stream.send(line))
    streams.whenClosed(stream, subscription.cancel)
    await stream.begin(subscription.initial, subscription.version)
    if (parameters.initialEventsEnd) stream.bookmark({ 'k8s.io/initial-events-end': 'true' })
  } catch (error) {
    // Once a watch has begun its errors are events; anything but 410 would stop a client-node informer for good.
    if (!(error instanceof StatusError)) throw error
    stream.end(Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`))
  }
}
