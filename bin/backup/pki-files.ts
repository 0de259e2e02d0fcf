/**
 * The keys and certificates of a control plane (`<data-dir>/pki`), as files of a backup. With them another machine takes
 * over: agents and kubeconfigs go on as they are. They never travel through the API: whoever has the authority's key can
 * be anybody, so only who can read them on the server's own disk can take them along.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeDurable } from '../../api-server/auth/durable-file.ts'
import type { StoredFile } from '../../api-server/store/snapshot/file.ts'

const FOLDER = 'pki'
const AUTHORITY = 'ca.key'
const NAME = /^[\w.-]+\.(?:key|crt)$/

/** Throws a sentence where there are none, or none that may be read. */
export async function readPki(dataDir: string): Promise<StoredFile[]> {
  const folder = join(dataDir, FOLDER)
  try {
    const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort()
    if (!names.includes(AUTHORITY)) throw new Error(`${join(folder, AUTHORITY)} is not there`)
    return await Promise.all(
      names.map(async (name) => ({ path: `${FOLDER}/${name}`, content: await readFile(join(folder, name)) })),
    )
  } catch (error) {
    throw new Error(
      `the keys of the control plane cannot be read (${messageOf(error)}): --with-pki works on the server's own machine, as its user, with its --data-dir`,
      { cause: error },
    )
  }
}

/** Throws where other keys are there already, which agents and kubeconfigs may rely on, unless they may be replaced. */
export async function checkPki(files: readonly StoredFile[], dataDir: string, force: boolean): Promise<void> {
  const authority = files.find(({ path }) => path === `${FOLDER}/${AUTHORITY}`)
  const present = join(dataDir, FOLDER, AUTHORITY)
  if (authority === undefined || force || !existsSync(present)) return
  if (!(await readFile(present)).equals(authority.content))
    throw new Error(
      `${join(dataDir, FOLDER)} holds the keys of another control plane: restore into another --data-dir, or give --force to replace them`,
    )
}

export async function writePki(files: readonly StoredFile[], dataDir: string): Promise<void> {
  const folder = join(dataDir, FOLDER)
  if (files.length === 0) return
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  // The authority comes last: with it the rest is believed.
  const ordered = files.toSorted((a, b) => Number(a.path.endsWith(AUTHORITY)) - Number(b.path.endsWith(AUTHORITY)))
  for (const { path, content } of ordered) {
    const name = path.slice(FOLDER.length + 1)
    if (!path.startsWith(`${FOLDER}/`) || !NAME.test(name))
      throw new Error(`the backup holds a file that none should: ${path}`)
    await writeDurable(join(folder, name), Buffer.from(content).toString(), 0o600)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
