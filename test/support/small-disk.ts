/** Disks that fail, as root can make them out of a tmpfs and a loop device, without device-mapper. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProcess } from './process.ts'
import { tempDir } from './temp-dir.ts'
import { until } from './until.ts'

async function must(...argv: string[]): Promise<void> {
  const { code, stderr } = await runProcess(argv)
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
}

/** A loop device lets go of its file, and a killed process of its own, a moment later. */
function unmount(folder: string): Promise<unknown> {
  return until(() => must('umount', folder).then(() => true), { what: `umount ${folder}` })
}

export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  /** Takes all the space that is left, and gives it back. */
  fill(): void
  free(): void
}

/** Fills by the largest pieces that still fit. */
function ballastIn(folder: string) {
  const files: string[] = []
  const add = (bytes: number) => {
    const file = join(folder, `ballast-${files.length}`)
    files.push(file)
    writeFileSync(file, Buffer.alloc(bytes, 'b'))
  }
  return {
    fill() {
      for (let bytes = 1024 * 1024; bytes >= 4096; bytes /= 4) {
        try {
          for (;;) add(bytes)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
    },
    free() {
      for (const file of files.splice(0)) rmSync(file, { force: true })
    },
  }
}

/** A tmpfs of so many MiB. */
export async function smallTmpfs(mebibytes: number): Promise<SmallDisk> {
  const folder = tempDir()
  await must('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder)
  return { folder, ...ballastIn(folder), [Symbol.asyncDispose]: async () => void (await unmount(folder)) }
}

export interface FailingDisk extends AsyncDisposable {
  readonly folder: string
  /** From now on what it is given cannot be kept: syncs of new blocks fail with an input/output error. */
  breakDown(): void
  mend(): void
  /** Makes it read-only at once, whoever has files open on it, as ext4 does after an error. */
  turnReadOnly(): Promise<void>
  /** Unmounts and mounts it again, as a reboot would: what was not on the disk is gone. */
  remount(): Promise<void>
}

/**
 * ext4 on a loop device whose file is thin: its blocks come from a tmpfs, and when that is full the device cannot write.
 * Without a journal of its own, so that the error is the sync's and the disk stays writable.
 */
export async function failingDisk(): Promise<FailingDisk> {
  const below = await smallTmpfs(96)
  const [image, folder] = [join(below.folder, 'disk'), join(below.folder, 'mounted')]
  mkdirSync(folder)
  await must('truncate', '-s', '512M', image)
  await must('mkfs.ext4', '-q', '-F', '-O', '^has_journal', '-E', 'lazy_itable_init=0', image)
  const mount = () => must('mount', '-o', 'loop,errors=continue', image, folder)
  await mount()
  return {
    folder,
    breakDown: () => below.fill(),
    mend: () => below.free(),
    turnReadOnly: () => must('mount', '-o', 'remount,abort', folder),
    async remount() {
      await unmount(folder)
      await mount()
    },
    async [Symbol.asyncDispose]() {
      await unmount(folder)
      await below[Symbol.asyncDispose]()
    },
  }
}
