/** Our door and the real etcd, both new and empty, to be asked the same. */
import pino from 'pino'
import { createEtcdV2Door } from '../../../api-server/legacy/etcd-v2/door.ts'
import { listenEtcdV2 } from '../../../api-server/legacy/etcd-v2/listen.ts'
import { openStore } from '../../../api-server/store/open.ts'
import { type EtcdMember, startEtcd } from '../etcd.ts'
import { tempDir } from '../temp-dir.ts'
import { type RawAnswer, RawConnection, type RawRequest } from './raw-client.ts'

export interface Pair extends AsyncDisposable {
  readonly ours: string
  readonly theirs: string
  readonly etcd: EtcdMember
}

/** A door in this process, on a store of its own. */
export interface OwnDoor extends AsyncDisposable {
  readonly url: string
}

export async function startDoor(options: { readonly strict?: boolean } = {}): Promise<OwnDoor> {
  const log = pino({ level: 'silent' })
  const store = await openStore('embedded', { dataDir: tempDir(), log })
  let url = ''
  const door = await createEtcdV2Door({ store, log, clientUrls: () => [url], ...options })
  const listener = await listenEtcdV2(door, { host: '127.0.0.1', port: 0 })
  url = listener.url
  return {
    url,
    async [Symbol.asyncDispose]() {
      await door.close()
      await listener.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

export async function startPair(): Promise<Pair> {
  const [etcd, door] = await Promise.all([startEtcd({ args: ['--enable-v2'] }), startDoor({ strict: true })])
  return {
    ours: door.url,
    theirs: etcd.url,
    etcd,
    async [Symbol.asyncDispose]() {
      await Promise.all([door[Symbol.asyncDispose](), etcd[Symbol.asyncDispose]()])
    },
  }
}

export interface Both<T> {
  readonly ours: T
  readonly theirs: T
}

/** A connection to each. */
export class PairConnection {
  readonly ours: RawConnection
  readonly theirs: RawConnection

  constructor({ ours, theirs }: Both<RawConnection>) {
    this.ours = ours
    this.theirs = theirs
  }

  static async open(pair: Both<string>): Promise<PairConnection> {
    const [ours, theirs] = await Promise.all([RawConnection.open(pair.ours), RawConnection.open(pair.theirs)])
    return new PairConnection({ ours, theirs })
  }

  async ask(request: RawRequest): Promise<Both<RawAnswer>> {
    const [ours, theirs] = await Promise.all([this.ours.ask(request), this.theirs.ask(request)])
    return { ours, theirs }
  }

  send(request: RawRequest): void {
    this.ours.send(request)
    this.theirs.send(request)
  }

  close(): void {
    this.ours.close()
    this.theirs.close()
  }
}
