/**
 * What this server remembers of its own etcd: `<data-dir>/etcd-member.json`, written before anything is done that
 * depends on it. Who the members are is no business of this file: that lives in etcd's data.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { writeDurable } from '../auth/durable-file.ts'

const address = z.string().regex(/^(?:\[[0-9a-fA-F:]+\]|[^:/[\]\s]+):\d{1,5}$/)

const MemberFile = z.object({
  /** In etcd's words: unique among the members, and never used again for another one. */
  name: z.string().min(1),
  /**
   * `initializing`: the first member of a new cluster, nothing of worth is in it. `joining`: what it has is a copy that
   * may be thrown away. `member`: its data is needed.
   */
  phase: z.enum(['initializing', 'joining', 'member']),
  /** `HOST:PORT` to bind. */
  clientListen: address,
  peerListen: address,
  /** `https://HOST:PORT` under which the others find it; they stand in etcd's data too. */
  clientUrl: z.string(),
  peerUrl: z.string(),
  /** Where etcd's members were last known to answer, this one among them. */
  endpoints: z.array(z.string()),
})

export type MemberFile = Readonly<z.output<typeof MemberFile>>

const FILE = 'etcd-member.json'

/** Undefined where there is none. Throws what to do where it cannot be read as one. */
export async function readMemberFile(dataDir: string): Promise<MemberFile | undefined> {
  const file = join(dataDir, FILE)
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw new Error(`reading ${file}`, { cause })
  })
  if (text === undefined) return undefined
  try {
    return MemberFile.parse(JSON.parse(text))
  } catch (cause) {
    throw new Error(`${file} is damaged: put it back from a backup, or remove it and ${dataDir}/etcd and join again`, {
      cause,
    })
  }
}

export async function writeMemberFile(dataDir: string, member: MemberFile): Promise<void> {
  await writeDurable(join(dataDir, FILE), `${JSON.stringify(member, null, 2)}\n`, 0o600)
}
