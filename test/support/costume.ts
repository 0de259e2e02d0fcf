/**
 * The product on a host without systemd, as root or as nobody, whatever this host is: a mount namespace of its own hides
 * systemd's sockets, and shows nobody the build and node even where these lie in a folder that only root may enter.
 */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BUNDLE } from './product.ts'
import { TEMP_ROOT, tempDir } from './temp-dir.ts'

export interface Costume {
  /** What starts node. */
  readonly before: readonly string[]
  /** node and the bundle, where the process can see them. */
  readonly program: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Empty, and the user's own. */
  readonly dataDir: string
}

export const NOBODY = 65534
const HIDE_SYSTEMD = 'if [ -d /run/systemd ]; then mount -t tmpfs none /run/systemd; fi'
const BECOME_NOBODY = `exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --no-new-privs "$@"`

function inNamespace(script: string): string[] {
  return ['unshare', '--mount', '--propagation', 'private', '--', '/bin/sh', '-ec', script, 'sh']
}

function ownDir(parent: string, name: string, uid: number): string {
  const path = join(parent, name)
  mkdirSync(path, { mode: 0o700 })
  chownSync(path, uid, uid)
  return path
}

function environment(home: string, uid: number): Record<string, string> {
  return { HOME: ownDir(home, 'home', uid), XDG_RUNTIME_DIR: ownDir(home, 'runtime', uid) }
}

/** Root, where systemd does not run. */
export function rootCostume(): Costume {
  const home = tempDir()
  return {
    before: inNamespace(`${HIDE_SYSTEMD}; exec "$@"`),
    program: [process.execPath, BUNDLE],
    env: environment(home, 0),
    dataDir: ownDir(home, 'data', 0),
  }
}

/** An ordinary user; to be put on by root alone. */
export function nobodyCostume(): Costume {
  const home = tempDir()
  if (process.env.FLOTILLA_TEST_TMP !== undefined) chmodSync(TEMP_ROOT, 0o711)
  chmodSync(home, 0o711)
  const tree = join(home, 'tree')
  const node = join(home, 'node')
  mkdirSync(tree)
  writeFileSync(node, '')
  const source = dirname(dirname(BUNDLE))
  const binds = `mount --bind '${source}' '${tree}'; mount --bind '${process.execPath}' '${node}'`
  return {
    before: inNamespace(`${HIDE_SYSTEMD}; ${binds}; ${BECOME_NOBODY}`),
    program: [node, join(tree, basename(dirname(BUNDLE)), basename(BUNDLE))],
    env: environment(home, NOBODY),
    dataDir: ownDir(home, 'data', NOBODY),
  }
}
