/** What an exclusive unit's files get in addition, and what cannot be exclusive. */
import type { UnitFile } from '../driver.ts'
import type { GeneratedDropIn } from '../render/render-unit.ts'
import { parseUnit, UnitFileError } from '../unit-file.ts'
import { splitUnitName } from '../unit-name.ts'
import type { FenceTimes } from './fence.ts'
import { gateOf, LEASE_TARGET } from './unit-files.ts'

const NAME = 'zz-flotilla-fence.conf'
/** Types that are gone as soon as systemd says so, or whose processes a signal ends. */
const TYPES = new Set(['service', 'socket', 'timer', 'path', 'target'])
/** Commands that systemd runs one after another at a stop, each with a time of its own. */
const STOP_COMMANDS = [
  ['Service', 'ExecStop'],
  ['Service', 'ExecStopPost'],
  ['Socket', 'ExecStopPre'],
  ['Socket', 'ExecStopPost'],
] as const

export interface Claimed {
  readonly uid: string
  /** Rises from holder to holder; undefined before the first claim. */
  readonly token: string | undefined
}

/** It counts last, so nothing that the unit says prolongs its stop or lets something of it live on. */
export function fenceDropIn(file: UnitFile, { uid, token }: Claimed, { graceMs }: FenceTimes): GeneratedDropIn {
  const { type } = splitUnitName(file.name)
  const both = `${LEASE_TARGET} ${gateOf(uid)}`
  const unit = ['[Unit]', `Requisite=${both}`, `PartOf=${both}`, `After=${both}`, 'RefuseManualStop=no']
  const lines = [...unit, ...(type === 'service' ? ofService(file, token, graceMs) : []), ...ofSocket(type, graceMs)]
  return { name: NAME, content: `${lines.join('\n')}\n`, restarts: false }
}

function ofService(file: UnitFile, token: string | undefined, graceMs: number): string[] {
  // `mixed` ends everything too, and asks the main process alone to go: some services rely on that.
  const isMixed = read(file)?.last('Service', 'KillMode') === 'mixed'
  return [
    '[Service]',
    ...['ExecStop=', 'ExecStopPost=', ...killing(isMixed ? 'mixed' : 'control-group')],
    ...[`TimeoutStopSec=${graceMs}ms`, `TimeoutAbortSec=${graceMs}ms`, 'TimeoutStopFailureMode=kill'],
    ...(token === undefined ? [] : [`Environment=FLOTILLA_FENCING_TOKEN=${token}`]),
  ]
}

function ofSocket(type: string, graceMs: number): string[] {
  if (type !== 'socket') return []
  return ['[Socket]', 'ExecStopPre=', 'ExecStopPost=', ...killing('control-group'), `TimeoutSec=${graceMs}ms`]
}

function killing(mode: string): string[] {
  return [`KillMode=${mode}`, 'SendSIGKILL=yes', 'FinalKillSignal=SIGKILL']
}

/** Why a unit cannot be exclusive, in one sentence; undefined when it can. */
export function cannotBeFenced(file: UnitFile): string | undefined {
  const { type } = splitUnitName(file.name)
  if (!TYPES.has(type))
    return `failover: exclusive is not for a ${type}: it cannot be taken away within the time that a lease leaves`
  const sections = read(file)
  const command = STOP_COMMANDS.find(([section, key]) => (sections?.all(section, key).length ?? 0) > 0)
  if (command !== undefined)
    return `failover: exclusive does not go with ${command[1]}=: it could outlast the lease; let the unit end on SIGTERM`
  const later = file.dropIns?.find(({ name }) => name > NAME && !name.startsWith('zz-flotilla-'))
  return later && `failover: exclusive does not go with a drop-in after ${NAME}: rename ${later.name}`
}

function read(file: UnitFile): ReturnType<typeof parseUnit> | undefined {
  try {
    return parseUnit(file)
  } catch (error) {
    // systemd, or `verify`, says what is wrong with it; it does not start.
    if (error instanceof UnitFileError) return undefined
    throw error
  }
}
