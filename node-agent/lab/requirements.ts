/** Can this box hold isolated machines? Looked up first, then tried: a container may have the tools and not the right. */
import { access, constants, lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findHierarchies } from './cgroups.ts'
import { run, toolEnv } from './command.ts'

const COMMANDS = ['unshare', 'nsenter', 'pivot_root', 'setpriv', 'mount', 'umount', 'ip', 'cp']
const SYSTEMD = '/usr/lib/systemd/systemd'
const PROBE_TIMEOUT_MS = 5_000
/** Bits in CapEff: what making namespaces, mounts and interfaces takes. */
const CAPABILITIES = { CAP_SYS_ADMIN: 21n, CAP_NET_ADMIN: 12n, CAP_SYS_CHROOT: 18n, CAP_KILL: 5n } as const

/** All namespaces at once, and in them what a machine's network is made of. */
const PROBE = `set -e
mount -t tmpfs probe /tmp
mount -t proc proc /proc
ip link add flp-a type veth peer name flp-b
ip link add flp-c type bridge`

/** One sentence that names what is missing for isolated machines; undefined when nothing is. */
export async function missingForLab(): Promise<string | undefined> {
  return (
    missingPlatform() ??
    (await missingCapability()) ??
    (await missingTool()) ??
    (await missingCgroup()) ??
    (await missingRight())
  )
}

function missingPlatform(): string | undefined {
  if (process.platform !== 'linux') return `Isolated machines need Linux; this is ${process.platform}.`
  if (process.geteuid?.() !== 0) return 'Isolated machines need root; this process runs as an ordinary user.'
  return undefined
}

async function missingCapability(): Promise<string | undefined> {
  const held = effectiveCapabilities(await readFile('/proc/self/status', 'utf8'))
  const missing = Object.entries(CAPABILITIES).filter(([, bit]) => ((held >> bit) & 1n) === 0n)
  if (missing.length === 0) return undefined
  const names = missing.map(([name]) => name).join(', ')
  return `Isolated machines need the capabilities of root, and ${names} is taken from it here.`
}

/** The CapEff mask from the text of /proc/self/status. */
export function effectiveCapabilities(status: string): bigint {
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
}

async function missingTool(): Promise<string | undefined> {
  if (!(await isExecutable(SYSTEMD))) return `Isolated machines need systemd; there is no ${SYSTEMD} here.`
  const absent = await absentCommands(COMMANDS)
  if (absent.length > 0)
    return `Isolated machines need the commands ${COMMANDS.join(', ')}; missing: ${absent.join(', ')}.`
  if ((await absentCommands(['dbus-daemon', 'dbus-broker'])).length === 2)
    return 'Isolated machines need D-Bus; neither dbus-daemon nor dbus-broker is installed.'
  if (!(await lstat('/lib')).isSymbolicLink())
    return 'Isolated machines need a merged /usr; /lib is a folder of its own here.'
  return undefined
}

async function missingCgroup(): Promise<string | undefined> {
  const all = await findHierarchies()
  if (all.length === 0) return 'Isolated machines need cgroups; none are mounted here.'
  for (const { base } of all) {
    const writable = await access(base, constants.W_OK).then(
      () => true,
      () => false,
    )
    if (!writable) return `Isolated machines need to make cgroups; ${base} is not writable here.`
  }
  return undefined
}

async function missingRight(): Promise<string | undefined> {
  const namespaces = ['--pid', '--fork', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--kill-child']
  const probe = run('unshare', [...namespaces, '--', '/bin/sh', '-c', PROBE], { timeoutMs: PROBE_TIMEOUT_MS })
  const { code, stderr } = await probe.catch((error: unknown) => ({ code: 1, stderr: String(error) }))
  if (code === 0) return undefined
  return `Isolated machines need namespaces, veth and bridge; making them failed here: ${stderr.trim().split('\n')[0]}.`
}

async function absentCommands(names: readonly string[]): Promise<string[]> {
  const folders = (toolEnv.PATH ?? '').split(':')
  const found = names.map(async (name) => {
    const hits = await Promise.all(folders.map((folder) => isExecutable(join(folder, name))))
    return hits.some(Boolean) ? [] : [name]
  })
  return (await Promise.all(found)).flat()
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
