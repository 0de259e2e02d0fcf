/** A TCP relay before a server, whose connections can be cut: the network between a person and the fleet. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { tempDir } from '../../support/temp-dir.ts'

export interface BreakableDoor {
  /** The given kubeconfig, with the relay as its server. */
  readonly kubeconfig: string
  /** Resets every connection that is open now. */
  cut(): void
  close(): Promise<void>
}

export async function openBreakableDoor(kubeconfig: string): Promise<BreakableDoor> {
  const text = readFileSync(kubeconfig, 'utf8')
  const [server = '', port] = /https:\/\/127\.0\.0\.1:(\d+)/.exec(text) ?? []
  const sockets = new Set<Socket>()
  const relay = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const path = join(tempDir(), 'kubeconfig')
  writeFileSync(path, text.replace(server, `https://127.0.0.1:${(relay.address() as AddressInfo).port}`), {
    mode: 0o600,
  })
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    kubeconfig: path,
    cut,
    close: async () => {
      cut()
      relay.close()
      await once(relay, 'close')
    },
  }
}
