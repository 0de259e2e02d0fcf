/** Signals and logs of systemd's units. */
import { constants } from 'node:os'
import { journalArguments, streamJournal } from './journalctl.ts'
import type { UnitReach } from './reach.ts'
import type { SystemdBus } from './systemd-bus.ts'
import { refusal } from './systemd-files.ts'
import { isConcreteUnitName, pathOfUnit } from './unit-name.ts'

const UNIT = 'org.freedesktop.systemd1.Unit'

export function systemdReach(bus: SystemdBus, kind: 'system' | 'user'): UnitReach {
  const unitOption = kind === 'user' ? '--user-unit' : '--unit'
  const match = (name: string | undefined): string[] => (name === undefined ? [] : [`${unitOption}=${name}`])
  return {
    async signal(name, signal, who) {
      if (!isConcreteUnitName(name)) return { name, refused: `'${name}' is no unit that runs` }
      const refused = await refusal(bus.manager('KillUnit', 'ssi', [name, who, constants.signals[signal]]))
      return refused === undefined ? { name } : { name, refused }
    },
    async invocation(name) {
      let id = ''
      // Asked of a unit that is not loaded, systemd says no: then there is no run to tell apart.
      if (isConcreteUnitName(name))
        await refusal(
          bus.property(pathOfUnit(name), UNIT, 'InvocationID').then((bytes) => {
            id = Buffer.from(bytes as readonly number[]).toString('hex')
          }),
        )
      return id
    },
    log: (name, { signal, ...which }) => streamJournal(journalArguments(match(name), which), signal),
  }
}
