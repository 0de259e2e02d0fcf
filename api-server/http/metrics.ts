/** What the server counts about itself, under a kube-apiserver's names where it has one. */
import { getOrMake } from '../registry/get-or-make.ts'
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
  const samples = new Samples(total, durations)
  const families = [
    total,
    durations,
    ...others,
    ...registryMetrics(registry, streams),
    ...laneMetrics(priority),
    ...processMetrics(),
  ]
  return {
    requestEnded: (record, code) => {
      const counted = samples.of(record, code)
      if (counted === undefined) return
      counted.total.value++
      counted.duration?.observe((performance.now() - record.startedMs) / 1_000)
    },
    addStreams: (added) => void streams.push(added),
    render: () => renderMetrics(families),
  }
}

/** Subresources come from URLs; whoever makes them up may not fill the memory. */
const MAX_SAMPLES = 5_000

/** Finds the samples of a request without making a text of its labels: this is on every request's way. */
class Samples {
  readonly #total: Counter
  readonly #durations: Histogram
  readonly #byKind = new Map<string | undefined, Map<string, Map<string | undefined, Map<number, Counted>>>>()
  readonly #durationOf = new Map<string, HistogramSample>()
  #size = 0

  constructor(total: Counter, durations: Histogram) {
    this.#total = total
    this.#durations = durations
  }

  /** Undefined when there are too many to count one more. */
  of(record: RequestRecord, code: number): Counted | undefined {
    const { target, verb } = record
    const place = scopeOf(record) * MAX_CODE + code
    return (
      this.#byKind.get(target?.kind.key)?.get(verb)?.get(target?.subresource)?.get(place) ??
      this.#make(record, code, place)
    )
  }

  #make(record: RequestRecord, code: number, place: number): Counted | undefined {
    if (this.#size >= MAX_SAMPLES) return undefined
    this.#size++
    const { target, verb } = record
    const byVerb = getOrMake(this.#byKind, target?.kind.key, () => new Map())
    const bySubresource = getOrMake(byVerb, verb, () => new Map())
    const byPlace = getOrMake(bySubresource, target?.subresource, () => new Map<number, Counted>())
    const labels = labelsOf(record)
    const duration = record.lasting
      ? undefined
      : getOrMake(this.#durationOf, JSON.stringify(labels), () => this.#durations.sample(labels))
    const counted = { total: this.#total.sample({ ...labels, code: String(code) }), duration }
    byPlace.set(place, counted)
    return counted
  }
}

const MAX_CODE = 1_000
const SCOPES = ['', 'cluster', 'namespace', 'resource'] as const

function scopeOf({ target }: RequestRecord): number {
  if (target === undefined) return 0
  return target.name !== undefined ? 3 : target.namespace !== undefined ? 2 : 1
}

function labelsOf(record: RequestRecord): Labels {
  const { target, verb } = record
  const { group = '', version = '', plural = '' } = target?.kind ?? {}
  return {
    verb: verb.toUpperCase(),
    group,
    version,
    resource: plural,
    subresource: target?.subresource ?? '',
    scope: SCOPES[scopeOf(record)] ?? '',
  }
}

function registryMetrics({ feed }: Registry, streams: readonly WatchStreams[]): Family[] {
  const caches = () => [...feed.collections]
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
