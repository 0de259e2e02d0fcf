/** Opens the etcd v2 door, and its plain listener where one was asked for. */
import type { Logger } from 'pino'
import { createEtcdV2Door, type EtcdV2Door } from './legacy/etcd-v2/door.ts'
import { type ListenerTls, listenEtcdV2 } from './legacy/etcd-v2/listen.ts'
import type { ObjectsAbove } from './legacy/etcd-v2/projection/index.ts'
import { openListener } from './legacy/open-listener.ts'
import type { Store } from './store/store.ts'

export interface EtcdV2Listen {
  readonly host: string
  readonly port: number
  /** Nobody asked for this very address: where it is taken, the server does without, and says so. */
  readonly isDefault: boolean
}

export interface OpenedEtcdV2 {
  readonly door: EtcdV2Door
  /** `http://127.0.0.1:4001`, where the door has a listener of its own. */
  readonly url: string | undefined
  /** A sentence for people when it has none although it should. */
  readonly notice: string | undefined
  close(): Promise<void>
}

export interface EtcdV2Settings {
  /** The window of a thousand events, as etcd has it; else all kept history is served. */
  readonly strict?: boolean
  /** For the door's own listener, PEM. With `ca` clients must show a certificate. */
  readonly tls?: ListenerTls
}

export interface EtcdV2ServerOptions extends EtcdV2Settings {
  readonly store: Store
  readonly listen: EtcdV2Listen | undefined
  readonly objects: ObjectsAbove
  readonly log: Logger
}

/** Rejects with a sentence when an address that was asked for cannot be had. */
export async function openEtcdV2(options: EtcdV2ServerOptions): Promise<OpenedEtcdV2> {
  const { store, listen, objects, log, strict = false, tls } = options
  let url: string | undefined
  const clientUrls = () => (url === undefined ? [] : [url])
  const door = await createEtcdV2Door({ store, objects, log, strict, clientUrls })
  try {
    const opened =
      listen &&
      (await openListener({
        api: 'etcd v2',
        flag: '--legacy-listen HOST:PORT',
        where: `${listen.host}:${listen.port}`,
        isDefault: listen.isDefault,
        open: () => listenEtcdV2(door, { ...listen, ...(tls && { tls }) }),
      }))
    const listener = typeof opened === 'object' ? opened : undefined
    url = listener?.url
    const close = async () => {
      await door.close()
      await listener?.close()
    }
    return { door, url, notice: typeof opened === 'string' ? opened : undefined, close }
  } catch (error) {
    await door.close()
    throw error
  }
}
