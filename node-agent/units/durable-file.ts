/** Files that outlive a power loss: written beside their place, synced, renamed. One cut short never has the final name. */
import { open, rename } from 'node:fs/promises'

/** Readable by its owner alone. On disk once `syncFolder` of its folder has resolved too, which serves any number of files. */
export async function writeSynced(path: string, content: string): Promise<void> {
  const beside = `${path}.new`
  const file = await open(beside, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
