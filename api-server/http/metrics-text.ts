/** Counters, gauges and histograms in Prometheus' text form. A sample is found once and then only counted up. */

export interface Family {
  /** Its lines, `# HELP` and `# TYPE` first. */
  lines(): Iterable<string>
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type Labels = Readonly<Record<string, string>>

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function head(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}`
}

export interface Sample {
  value: number
}

export class Counter implements Family {
  readonly #samples: { readonly labels: Labels; readonly sample: Sample }[] = []
  readonly #name: string
  readonly #help: string

  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  /** A new sample; ask once a set of labels and keep it. */
  sample(labels: Labels = {}): Sample {
    const sample = { value: 0 }
    this.#samples.push({ labels, sample })
    return sample
  }

  *lines(): Iterable<string> {
    yield head(this.#name, this.#help, 'counter')
    for (const { labels, sample } of this.#samples) yield `${this.#name}${labelText(labels)} ${sample.value}`
  }
}

/** Looked up when asked for; `read` must answer at once. */
export class Gauge implements Family {
  readonly #name: string
  readonly #help: string
  readonly #read: () => Iterable<readonly [Labels, number]>
  readonly #type: 'gauge' | 'counter'

  constructor(
    name: string,
    help: string,
    read: () => Iterable<readonly [Labels, number]> | number,
    type: 'gauge' | 'counter' = 'gauge',
  ) {
    this.#name = name
    this.#help = help
    this.#type = type
    this.#read = () => {
      const values = read()
      return typeof values === 'number' ? [[{}, values]] : values
    }
  }

  *lines(): Iterable<string> {
    yield head(this.#name, this.#help, this.#type)
    for (const [labels, value] of this.#read()) yield `${this.#name}${labelText(labels)} ${value}`
  }
}

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

export class HistogramSample {
  readonly counts = new Float64Array(BUCKETS_SECONDS.length + 1)
  sum = 0

  observe(seconds: number): void {
    let at = 0
    while (at < BUCKETS_SECONDS.length && seconds > (BUCKETS_SECONDS[at] ?? 0)) at++
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.sum += seconds
  }
}

/** Of durations, in seconds. */
export class Histogram implements Family {
  readonly #samples: { readonly labels: Labels; readonly sample: HistogramSample }[] = []
  readonly #name: string
  readonly #help: string

  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  sample(labels: Labels = {}): HistogramSample {
    const sample = new HistogramSample()
    this.#samples.push({ labels, sample })
    return sample
  }

  *lines(): Iterable<string> {
    yield head(this.#name, this.#help, 'histogram')
    for (const { labels, sample } of this.#samples) {
      let count = 0
      for (const [at, bound] of [...BUCKETS_SECONDS, '+Inf'].entries()) {
        count += sample.counts[at] ?? 0
        yield `${this.#name}_bucket${labelText({ ...labels, le: String(bound) })} ${count}`
      }
      yield `${this.#name}_sum${labelText(labels)} ${sample.sum}`
      yield `${this.#name}_count${labelText(labels)} ${count}`
    }
  }
}

export function renderMetrics(families: Iterable<Family>): string {
  const lines: string[] = []
  for (const family of families) lines.push(...family.lines())
  return `${lines.join('\n')}\n`
}
