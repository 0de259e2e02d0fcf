import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { tempDir } from '../../support/temp-dir.ts'

export const REPOSITORY = resolve(import.meta.dirname, '../../..')

/** A small repository of its own: the given files, beside the real node_modules. Returns its root. */
export function repositoryOf(files: Readonly<Record<string, string>>): string {
  const root = tempDir()
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}
