/** Writers of objects and of etcd v2 keys that know what was acknowledged, and can be paused. */
import type { ApiClient } from '../../controllers/lib/client.ts'
import { ConfigMap } from '../../crds/index.ts'
import { until } from '../support/until.ts'

export interface Load {
  /** Resolves when nobody writes any more. */
  pause(): Promise<void>
  resume(): void
  /** Resolves when each writer has written some more. */
  progress(): Promise<void>
  /** The newest acknowledged value of a config map in `default`. */
  written(name: string): string | undefined
  acknowledged(): ReadonlyMap<string, string>
  end(): Promise<void>
}

const WRITERS = 4
const SOME = 10

/** Everything of the etcd v2 API with its indexes, and the index it is at. */
export async function v2Tree(
  url: string | undefined,
): Promise<{ readonly index: string | null; readonly tree: unknown }> {
  const answer = await fetch(`${url}/v2/keys/?recursive=true&sorted=true`)
  return { index: answer.headers.get('x-etcd-index'), tree: await answer.json() }
}

/** Lets writers through, or holds them where they are between two writes. */
class Gate {
  readonly waiting = new Set<string>()
  #open = Promise.resolve()
  #release = (): void => {}
  #isShut = false

  shut(): void {
    this.#isShut = true
    this.#open = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  open(): void {
    this.#isShut = false
    this.#release()
  }

  async pass(name: string): Promise<void> {
    while (this.#isShut) {
      this.waiting.add(name)
      await this.#open
    }
    this.waiting.delete(name)
  }
}

type Write = (value: string) => Promise<unknown>

function objectWriter(client: ApiClient, name: string): Write {
  return async (value) => {
    const body = { data: { value } }
    await client.patch(ConfigMap, name, { namespace: 'default', type: 'merge', body })
    if (Number(value) % 5 === 0)
      await client.create(ConfigMap, { metadata: { name: `${name}-${value}`, namespace: 'default' }, data: {} })
  }
}

function v2Writer(url: () => string): Write {
  return async (value) => {
    await fetch(`${url()}/v2/keys/load/${Number(value) % 7}?value=${value}`, { method: 'PUT' })
    if (Number(value) % 10 === 0) await fetch(`${url()}/v2/keys/load/3`, { method: 'DELETE' })
  }
}

export async function startLoad(client: ApiClient, etcdV2: () => string): Promise<Load> {
  const names = Array.from({ length: WRITERS }, (_, i) => `counter-${i}`)
  for (const name of names) await client.create(ConfigMap, { metadata: { name, namespace: 'default' }, data: {} })
  const written = new Map<string, number>()
  const gate = new Gate()
  let hasEnded = false
  async function writeOn(name: string, write: Write): Promise<void> {
    for (let i = 1; !hasEnded; i++) {
      await gate.pass(name)
      await write(String(i))
      written.set(name, i)
    }
  }
  const running = [...names.map((name) => writeOn(name, objectWriter(client, name))), writeOn('v2', v2Writer(etcdV2))]
  const ended = Promise.all(running)
  ended.catch(() => undefined) // told at the end
  return {
    async pause() {
      gate.shut()
      await until(() => gate.waiting.size === running.length, { what: 'all writers have paused' })
    },
    resume: () => gate.open(),
    async progress() {
      const before = new Map(written)
      const further = (name: string) => (written.get(name) ?? 0) >= (before.get(name) ?? 0) + SOME
      await until(() => [...names, 'v2'].every(further), { what: 'all writers have written', timeoutMs: 10_000 })
    },
    written: (name) => written.get(name)?.toString(),
    acknowledged: () => new Map(names.map((name) => [name, String(written.get(name))])),
    async end() {
      hasEnded = true
      gate.open()
      await ended
    },
  }
}
