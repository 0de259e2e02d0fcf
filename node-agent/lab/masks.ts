/**
 * What systemd must leave alone in a machine that shares its kernel and hardware with others. Distributions pull
 * different units from /usr, so what a target wants there is masked unless it is known to be needed.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const UNITS = '/usr/lib/systemd/system'
const GENERATORS = '/usr/lib/systemd/system-generators'

/** What a machine needs of that which targets pull in from /usr. */
const NEEDED = [
  /^dbus(-broker|-daemon)?\.(service|socket)$/,
  /^systemd-journald(-dev-log)?\.(service|socket)$/,
  /^systemd-(journal-flush|sysusers|tmpfiles-setup|user-sessions)\.service$/,
  /^systemd-(initctl|coredump|creds)\.socket$/,
  /^systemd-tmpfiles-clean\.timer$/,
  /\.(target|slice)$/,
]

/** Not wanted by any target, but started by others, by a bus name or by hand; or wanted only on some distributions. */
const UNFIT = [
  'getty.target',
  'console-getty.service',
  'systemd-logind.service',
  'systemd-networkd.service',
  'systemd-networkd.socket',
  'systemd-resolved.service',
  'systemd-timesyncd.service',
  'systemd-udevd.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udev-trigger.service',
  'systemd-remount-fs.service',
  'systemd-sysctl.service',
  'systemd-binfmt.service',
  'systemd-modules-load.service',
  'systemd-random-seed.service',
  'systemd-firstboot.service',
  'systemd-homed.service',
  'systemd-userdbd.socket',
  'systemd-oomd.service',
  'systemd-oomd.socket',
  'proc-sys-fs-binfmt_misc.automount',
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'sys-kernel-config.mount',
  'sys-fs-fuse-connections.mount',
]

/** Generators that have something to say about a machine with its own fstab and units and no disks. */
const NEEDED_GENERATORS = new Set(['systemd-fstab-generator', 'systemd-system-update-generator'])

/** Units to mask: the unfit ones, and all that this box's targets pull in but a machine does not need. */
export function unitsToMask(wanted: readonly string[]): string[] {
  const surplus = wanted.filter((unit) => !NEEDED.some((pattern) => pattern.test(unit)))
  return [...new Set([...UNFIT, ...surplus])].toSorted()
}

export function generatorsToMask(present: readonly string[]): string[] {
  return present.filter((generator) => !NEEDED_GENERATORS.has(generator)).toSorted()
}

/** Folders below /etc/systemd → names to link to /dev/null there, for this box. */
export async function masks(): Promise<ReadonlyMap<string, readonly string[]>> {
  const [wanted, generators] = await Promise.all([wantedUnits(), list(GENERATORS)])
  return new Map([
    ['system', unitsToMask(wanted)],
    ['system-generators', generatorsToMask(generators)],
  ])
}

async function wantedUnits(): Promise<string[]> {
  const folders = (await list(UNITS)).filter((name) => /\.target\.(wants|requires)$/.test(name))
  return (await Promise.all(folders.map((folder) => list(join(UNITS, folder))))).flat()
}

/** Names in a folder; a distribution without it has none. */
async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
