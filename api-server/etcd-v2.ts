/** Opens the etcd v2 door, and its plain listener where one was asked for. */
import type { Logger } from 'pino'
import { createEtcdV2Door, type EtcdV2Door } from './legacy/etcd-v2/door.ts'
import { type EtcdV2Listener, type ListenerTls, listenEtcdV2 } from './legacy/etcd-v2/listen.ts'
import type { ObjectsAbove } from './legacy/etcd-v2/projection/index.ts'
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
    const opened = listen === undefined ? undefined : await openListener(door, listen, tls)
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

async function openListener(
  door: EtcdV2Door,
  listen: EtcdV2Listen,
  tls: ListenerTls | undefined,
): Promise<EtcdV2Listener | string> {
  const where = `${listen.host}:${listen.port}`
  try {
    return await listenEtcdV2(door, { ...listen, ...(tls && { tls }) })
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (isTaken && listen.isDefault)
      return `the etcd v2 API is not on ${where}, which is taken; --legacy-listen HOST:PORT puts it elsewhere`
    const why = isTaken ? 'the address is taken' : (cause as Error).message
    throw new Error(`the etcd v2 API cannot listen on ${where}: ${why}; give another --legacy-listen HOST:PORT`, {
      cause,
    })
  }
}
