/**
 * The nodes that hold users and roles. Each change is decided on the newest state and put in place only while that
 * still is the newest, so that two servers cannot undo each other's changes.
 */
import type { Failure } from '../failure.ts'
import type { Write } from '../operations.ts'
import type { Replica } from '../replica.ts'
import type { Answer, Writer } from '../writer.ts'
import { ENABLED, ROLES, TOP, USERS } from './records.ts'

export interface Resources {
  /** False where there is one. */
  create(key: string, value: string): Promise<boolean>
  /** `next` is asked again when another server was faster; it may refuse by throwing. */
  change(key: string, next: () => string): Promise<void>
  /** False where there is none. */
  remove(key: string): Promise<boolean>
}

export interface ResourcesDeps {
  readonly replica: Replica
  readonly writer: Writer
  /** Resolves when the tree holds everything that anybody was told is written. */
  readonly catchUp: () => Promise<void>
}

type Submit = (write: Pick<Write, 'do' | 'key'> & Partial<Write>) => Promise<Answer>

const MAX_TRIES = 20
const PLAIN = { dir: false, recursive: false, value: '', expires: undefined, refresh: false, prevValue: '' } as const

export function createResources({ replica, writer, catchUp }: ResourcesDeps): Resources {
  const submit: Submit = (write) =>
    new Promise((settle) => writer.submit({ ...PLAIN, prevIndex: 0n, ...write }, settle))
  return {
    create: async (key, value) => {
      await ensureFolders(replica, submit)
      return isDone(await submit({ do: 'create', key, value }), 105)
    },
    change: async (key, next) => {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        await catchUp()
        const value = next()
        const prevIndex = BigInt(replica.tree.get(key)?.modified ?? 0)
        if (isDone(await submit({ do: 'swap', key, value, prevIndex }), 100, 101)) return
      }
      throw new Error('others keep changing it')
    },
    remove: async (key) => {
      await ensureFolders(replica, submit)
      return isDone(await submit({ do: 'delete', key }), 100)
    },
  }
}

/** Made before the first change, as etcd makes them: four changes of the index. */
async function ensureFolders(replica: Replica, submit: Submit): Promise<void> {
  if (replica.tree.get(ENABLED)) return
  for (const key of [TOP, USERS, ROLES]) isDone(await submit({ do: 'create', key, dir: true }), 105)
  isDone(await submit({ do: 'create', key: ENABLED, value: 'false' }), 105)
}

/** False where it was refused for one of the expected reasons; throws for all others. */
function isDone(answer: Answer, ...expected: readonly Failure['code'][]): boolean {
  if (answer.ok) return true
  if (expected.includes(answer.failure.code)) return false
  throw new Error(answer.failure.cause)
}
