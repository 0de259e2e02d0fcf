/** What the server counts about itself, under a kube-apiserver's names where it has one. */
import type { Registry } from '../registry/registry.ts'
import { processMetrics } from './metrics-process.ts'
import {
  Counter,
  type Family,
  Gauge,
  Histogram,
  type HistogramSample,
  type Labels,
  renderMetrics,
  type Sample,
} from './metrics-text.ts'
import type { Priority } from './priority.ts'
import type { RequestRecord } from './request-record.ts'
import type { WatchStreams } from './watch-streams.ts'

export interface Metrics {
  requestEnded(record: RequestRecord, code: number): void
  /** One listener's watches. */
  addStreams(streams: WatchStreams): void
  render(): string
}

/** The labels of a request, with where it is counted. */
interface Counted {
  readonly total: Sample
  readonly duration: HistogramSample | undefined
}

export function createMetrics(registry: Registry, priority: Priority, others: readonly Family[] = []): Metrics {
  const total = new Counter('apiserver_request_total', 'Requests answered, by verb, resource and code.')
  const durations = new Histogram('apiserver_request_duration_seconds', 'How long answers took, watches left out.')
  const streams: WatchStreams[] = []
  const byKey = new Map<string, Counted>()
  const durationOf = new Map<string, HistogramSample>()
  const families = [
    total,
    durations,
    ...others,
    ...registryMetrics(registry, streams),
    ...laneMetrics(priority),
    ...processMetrics(),
  ]

  const count = (record: RequestRecord, code: number): Counted => {
    const labels = labelsOf(record)
    const key = JSON.stringify(labels)
    let duration = durationOf.get(key)
    if (duration === undefined && !record.lasting) {
      duration = durations.sample(labels)
      durationOf.set(key, duration)
    }
    return { total: total.sample({ ...labels, code: String(code) }), duration: record.lasting ? undefined : duration }
  }
  return {
    requestEnded: (record, code) => {
      const { target, verb } = record
      const key = `${target?.kind.group}/${target?.kind.plural}/${target?.subresource}/${target?.name === undefined}/${verb}/${code}`
      let counted = byKey.get(key)
      if (counted === undefined) {
        if (byKey.size >= MAX_KEYS) return
        counted = count(record, code)
        byKey.set(key, counted)
      }
      counted.total.value++
      counted.duration?.observe((performance.now() - record.startedMs) / 1_000)
    },
    addStreams: (added) => void streams.push(added),
    render: () => renderMetrics(families),
  }
}

/** Subresources come from URLs; whoever makes them up may not fill the memory. */
const MAX_KEYS = 5_000

function labelsOf({ target, verb }: RequestRecord): Labels {
  if (target === undefined)
    return { verb: verb.toUpperCase(), group: '', version: '', resource: '', subresource: '', scope: '' }
  const { kind, subresource = '', namespace, name } = target
  const scope = name !== undefined ? 'resource' : namespace !== undefined ? 'namespace' : 'cluster'
  return {
    verb: verb.toUpperCase(),
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
    subresource,
    scope,
  }
}

function registryMetrics({ feed }: Registry, streams: readonly WatchStreams[]): Family[] {
  const caches = () => [...feed.caches].filter(({ kind }) => kind.view === undefined)
  const labels = ({ kind }: ReturnType<typeof caches>[number]) => ({ resource: kind.plural, group: kind.group })
  return [
    new Gauge('apiserver_storage_objects', 'Objects in the cache.', () =>
      caches().map((cache) => [labels(cache), cache.entries.size] as const),
    ),
    new Gauge('flotilla_cache_watchers', 'Watches on a kind.', () =>
      caches().map((cache) => [labels(cache), cache.watchers.size] as const),
    ),
    new Gauge('flotilla_store_revision', 'Newest revision that the caches reflect.', () => Number(feed.revision)),
    new Gauge('apiserver_longrunning_requests', 'Open watches.', () =>
      streams.reduce((sum, { size }) => sum + size, 0),
    ),
    new Gauge(
      'apiserver_watch_events_total',
      'Events sent to watchers.',
      () => streams.reduce((sum, { sent }) => sum + sent, 0),
      'counter',
    ),
  ]
}

function laneMetrics({ lanes }: Priority): Family[] {
  const all = Object.entries(lanes)
  return [
    new Gauge('apiserver_current_inflight_requests', 'Seats taken, by lane.', () =>
      all.map(([lane, { seatsTaken }]) => [{ request_kind: lane }, seatsTaken] as const),
    ),
    new Gauge('apiserver_current_inqueue_requests', 'Requests waiting for a seat, by lane.', () =>
      all.map(([lane, { waiting }]) => [{ request_kind: lane }, waiting] as const),
    ),
    new Gauge(
      'flotilla_requests_refused_total',
      'Requests answered 429, by lane.',
      () => all.map(([lane, { rejected }]) => [{ request_kind: lane }, rejected] as const),
      'counter',
    ),
  ]
}
