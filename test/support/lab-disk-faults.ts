/**
 * A full disk below the agent of a lab's machine. The first time, its data folder gets a small tmpfs of its own, with all
 * that was in it; that stays until the machine goes down, which loses what was written since.
 */
export interface DiskFaults {
  /** Takes all the space that is left. */
  fillDisk(machine: string): Promise<void>
  /** Gives it back. */
  emptyDisk(machine: string): Promise<void>
  /** Leaves out machines that are down: what was full is gone with their boot. */
  emptyAll(): Promise<void>
}

const DATA = '/var/lib/flotilla'
const SIZE = '8m'

/** The agent is held while its folder is exchanged below it, so that no write falls between. */
const EXCHANGE = `set -e
mountpoint -q ${DATA} && exit 0
systemctl kill --kill-whom=main --signal=STOP flotilla-agent.service
trap 'systemctl kill --kill-whom=main --signal=CONT flotilla-agent.service' EXIT
cp -a ${DATA} /tmp/exchanged
mount -t tmpfs -o size=${SIZE},mode=700 tmpfs ${DATA}
cp -a /tmp/exchanged/. ${DATA}/
rm -rf /tmp/exchanged`

/** In pieces that get smaller, since a failed write leaves what did not fit. */
const FILL = `for size in 1M 64k 4k 1; do
  until ! head -c $size /dev/zero >>${DATA}/ballast; do :; done 2>/dev/null
done
! echo full 2>/dev/null >${DATA}/probe; rm -f ${DATA}/probe`

export function diskFaults(inside: (machine: string, script: string) => Promise<string>): DiskFaults {
  const filled = new Set<string>()
  const empty = async (machine: string): Promise<void> => {
    await inside(machine, `rm -f ${DATA}/ballast`)
    filled.delete(machine)
  }
  return {
    fillDisk: async (machine) => {
      await inside(machine, EXCHANGE)
      filled.add(machine)
      await inside(machine, FILL)
    },
    emptyDisk: empty,
    emptyAll: async () => void (await Promise.allSettled([...filled].map(empty))),
  }
}
