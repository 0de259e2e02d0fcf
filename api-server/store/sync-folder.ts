import { open } from 'node:fs/promises'

/** A new file survives a power cut only once the folder that names it is synced, too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
