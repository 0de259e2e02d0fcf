/**
 * Which cgroup hierarchies this machine has, and where in each the lab may make its folder. Pure reading of the two
 * files the kernel offers, so v1, hybrid and v2 machines are a table in the tests.
 */
import { basename, join } from 'node:path'

export interface Hierarchy {
  readonly version: 1 | 2
  readonly mountPoint: string
  /** Folder below which the lab's folder goes. */
  readonly base: string
  /** Where it is mounted under /sys/fs/cgroup inside a machine; '.' = it is all there is (pure v2). */
  readonly name: string
  /** Options that mount the same hierarchy again; '-' for v2. */
  readonly mountOptions: string
}

interface Mount {
  readonly version: 1 | 2
  readonly root: string
  readonly mountPoint: string
  /** Controllers, or `name=systemd`; '' for v2. As /proc/self/cgroup spells it. */
  readonly key: string
}

/**
 * `mountinfo` and `ownCgroup` are the texts of /proc/self/mountinfo and /proc/self/cgroup.
 *
 * On v1 (and the v2 tree that systemd keeps beside it) the lab nests below its own cgroup, so a limit put on the
 * supervisor holds for its machines. Pure v2 forbids folders with controllers below one that holds processes, so there
 * it goes to the top of what is mounted.
 */
export function hierarchies(mountinfo: string, ownCgroup: string): Hierarchy[] {
  const mounts = distinct(mountinfo.split('\n').flatMap(cgroupMount))
  const own = ownFolders(ownCgroup)
  const pure = mounts.every((mount) => mount.version === 2)
  return mounts.map((mount) => ({
    version: mount.version,
    mountPoint: mount.mountPoint,
    base: pure ? mount.mountPoint : join(mount.mountPoint, below(mount.root, own.get(mount.key) ?? '/')),
    name: pure ? '.' : basename(mount.mountPoint),
    mountOptions: mountOptions(mount),
  }))
}

function mountOptions({ version, key }: Mount): string {
  if (version === 2) return '-'
  return key.startsWith('name=') ? `none,${key},xattr` : key
}

/** id parent maj:min ROOT MOUNTPOINT options [tags] - TYPE source SUPEROPTIONS */
function cgroupMount(line: string): Mount[] {
  const [left = '', right = ''] = line.split(' - ')
  const [type, , superOptions = ''] = right.split(' ')
  const [, , , root = '/', mountPoint = ''] = left.split(' ')
  if (type === 'cgroup2') return [{ version: 2, root, mountPoint, key: '' }]
  if (type !== 'cgroup') return []
  return [{ version: 1, root, mountPoint, key: v1Key(superOptions) }]
}

const NOT_CONTROLLERS = /^(rw|ro|xattr|noprefix|clone_children|cpuset_v2_mode|favordynmods|nosuid|release_agent=.*)$/

function v1Key(superOptions: string): string {
  return superOptions
    .split(',')
    .filter((option) => !NOT_CONTROLLERS.test(option))
    .join(',')
}

/** A hierarchy may be mounted at several places; the first is the usual one. */
function distinct(mounts: readonly Mount[]): Mount[] {
  return mounts.filter((mount, index) => mounts.findIndex((other) => other.key === mount.key) === index)
}

function ownFolders(ownCgroup: string): Map<string, string> {
  const entries = ownCgroup.split('\n').flatMap((line): [string, string][] => {
    const [, key, ...path] = line.split(':')
    return key === undefined ? [] : [[key, path.join(':')]]
  })
  return new Map(entries)
}

/** In a container the mount may show only a part of the tree, while the kernel names our folder from the top. */
function below(root: string, path: string): string {
  if (root === '/') return path
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '/'
}
