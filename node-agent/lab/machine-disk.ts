/** A machine's disk: the folders etc, var and root that it keeps over boots, and what is on them before the first. */
import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildEtc, type Identity, replaceLink } from './machine-etc.ts'
import { type MachineFile, type MachineUnit, putFiles, putUnits } from './machine-files.ts'

const VAR_FOLDERS = ['lib/dbus', 'log/journal', 'cache', 'tmp', 'spool']

export interface DiskContent {
  readonly files?: readonly MachineFile[]
  readonly units?: readonly MachineUnit[]
}

/** Makes the disk, or brings an old one up to date; a caller's files and units win over the lab's own. */
export async function buildDisk(dir: string, identity: Identity, content: DiskContent): Promise<void> {
  await mkdir(join(dir, 'root'), { recursive: true, mode: 0o700 })
  for (const folder of VAR_FOLDERS) await mkdir(join(dir, 'var', folder), { recursive: true })
  await chmod(join(dir, 'var/tmp'), 0o1777)
  await replaceLink('/run', join(dir, 'var/run'))
  await replaceLink('/run/lock', join(dir, 'var/lock'))
  await replaceLink('/etc/machine-id', join(dir, 'var/lib/dbus/machine-id'))
  await buildEtc(dir, identity)
  await putFiles(dir, content.files ?? [])
  await putUnits(dir, content.units ?? [])
}
