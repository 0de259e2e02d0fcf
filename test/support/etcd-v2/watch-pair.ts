/** One watch at both servers: its heads are compared at once, what it was sent whenever asked. */
import { until } from '../until.ts'
import { bodyDifference, difference } from './difference.ts'
import { type Both, PairConnection } from './pair.ts'
import type { RawAnswer, RawConnection } from './raw-client.ts'

const HEADED = ['content-type', 'x-etcd-index', 'x-etcd-cluster-id', 'x-raft-index', 'x-raft-term', 'transfer-encoding']
const TOLD_WITHIN_MS = 2_000

export class WatchPair {
  readonly target: string
  readonly #connection: PairConnection

  constructor(target: string, connection: PairConnection) {
    this.target = target
    this.#connection = connection
  }

  /** The watch, or, where both have refused it alike, nothing; `difference` in words where they did not agree. */
  static async open(
    pair: Both<string>,
    target: string,
  ): Promise<{ readonly watch?: WatchPair; readonly difference?: string }> {
    const connection = await PairConnection.open(pair)
    connection.send({ method: 'GET', target })
    const [ours, theirs] = await Promise.all([connection.ours.head(), connection.theirs.head()])
    const isOpen = ours.status === 200 && theirs.status === 200 && ours.headers.has('transfer-encoding')
    const told = isOpen
      ? headDifference({ ours, theirs })
      : difference(await refusals(connection, { ours, theirs }), target.includes('sorted'))
    if (told === undefined && isOpen) return { watch: new WatchPair(target, connection) }
    connection.close()
    return told === undefined ? {} : { difference: `watch ${target}: ${told}` }
  }

  /** True when it has come to its end on both sides. */
  get isOver(): boolean {
    return text(this.#connection.theirs).includes('\r\n0\r\n\r\n')
  }

  /** Waits until both were sent the same; says what differs when they are not. */
  async difference(): Promise<string | undefined> {
    const told = () => bodyDifference(events(this.#connection.ours), events(this.#connection.theirs))
    await until(() => told() === undefined, { timeoutMs: TOLD_WITHIN_MS, what: 'both watchers told' }).catch(
      () => undefined,
    )
    const differs = told()
    return differs === undefined ? undefined : `watch ${this.target}: ${differs}`
  }

  /** Everything our side was sent. */
  get events(): string {
    return events(this.#connection.ours)
  }

  close(): void {
    this.#connection.close()
  }
}

async function refusals(connection: PairConnection, heads: Both<Omit<RawAnswer, 'body'>>): Promise<Both<RawAnswer>> {
  const [ours, theirs] = await Promise.all([
    connection.ours.body(heads.ours.headers),
    connection.theirs.body(heads.theirs.headers),
  ])
  return { ours: { ...heads.ours, body: ours }, theirs: { ...heads.theirs, body: theirs } }
}

function headDifference({ ours, theirs }: Both<Omit<RawAnswer, 'body'>>): string | undefined {
  const wrong = HEADED.filter((name) =>
    name === 'x-etcd-index' || name === 'content-type'
      ? ours.headers.get(name) !== theirs.headers.get(name)
      : ours.headers.has(name) !== theirs.headers.has(name),
  )
  return wrong.length === 0 ? undefined : `the heads differ in ${wrong.join(', ')}`
}

const text = (connection: RawConnection) => connection.pending

/** The chunks' contents. */
function events(connection: RawConnection): string {
  return text(connection).replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, '')
}
