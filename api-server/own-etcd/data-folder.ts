/** etcd's own data, `<data-dir>/etcd`: whether there is any, and how it goes. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface DataFolder {
  readonly path: string
  /** Whether etcd has ever begun to write here: its log is there. */
  hasData(): Promise<boolean>
  /** Removes all of it; a crash leaves all or nothing. */
  wipe(): Promise<void>
}

export function dataFolderOf(dataDir: string): DataFolder {
  const path = join(dataDir, 'etcd')
  const going = `${path}.going`
  return {
    path,
    hasData: async () => (await namesIn(join(path, 'member/wal'))).length > 0,
    async wipe() {
      await rm(going, { recursive: true, force: true })
      await mkdir(path, { recursive: true, mode: 0o700 })
      await rename(path, going)
      await rm(going, { recursive: true, force: true })
      await mkdir(path, { recursive: true, mode: 0o700 })
    },
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new Error(`reading ${folder}`, { cause })
  })
}
