/** Signals and logs of services that are child processes. */
import { DriverUnavailableError, type JournalOptions, type LogLine } from '../driver.ts'
import { entryJson } from '../journal-entry.ts'
import type { UnitReach } from '../reach.ts'
import type { Launcher } from './launcher.ts'
import type { Life } from './life.ts'

interface Services {
  readonly launcher: Pick<Launcher, 'membersOf' | 'signal'>
  readonly logs: { read(unit: string, identifier: string, options: JournalOptions): AsyncIterable<LogLine> }
}

export function serviceReach(
  { launcher, logs }: Services,
  lifeOf: (name: string) => Pick<Life, 'state'> | undefined,
  identifierOf: (name: string) => string,
): UnitReach {
  return {
    async signal(name, signal, who) {
      const { mainPID = 0, invocation = '' } = lifeOf(name)?.state() ?? {}
      if (who === 'control') return { name, refused: 'only systemd tells the control process of a unit' }
      if (mainPID === 0) return { name, refused: `No main process to kill: ${name} is not running.` }
      const pids = who === 'main' ? [mainPID] : await launcher.membersOf(invocation, mainPID)
      for (const pid of pids) launcher.signal(pid, signal)
      return { name }
    },
    invocation: async (name) => lifeOf(name)?.state().invocation ?? '',
    log: (name, options) => {
      if (name === undefined)
        throw new DriverUnavailableError(
          'without systemd this machine has no journal; its units have logs of their own',
        )
      return asJournal(logs.read(name, identifierOf(name), options))
    },
  }
}

async function* asJournal(lines: AsyncIterable<LogLine>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(`${entryJson(line)}\n`)
}
