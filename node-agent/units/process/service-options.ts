/**
 * Which options of a unit file the process driver honours, which change nothing here, and (all others) which it must
 * refuse: an option that is silently dropped would run something other than what was asked for.
 */
import type { UnitFile } from '../driver.ts'
import { parseUnit, type UnitEntry, UnitFileError } from '../unit-file.ts'
import { splitUnitName } from '../unit-name.ts'

const WHY = 'needs systemd, which does not run on this machine'

const HONOURED: Readonly<Record<string, ReadonlySet<string>>> = {
  Unit: words('StartLimitIntervalSec StartLimitInterval StartLimitBurst'),
  Service: words(`Type ExecStart ExecStartPre ExecStartPost ExecStop ExecStopPost RemainAfterExit
    Environment EnvironmentFile PassEnvironment UnsetEnvironment WorkingDirectory User Group UMask
    Restart RestartSec StartLimitInterval StartLimitBurst SuccessExitStatus RestartPreventExitStatus RestartForceExitStatus
    KillSignal KillMode SendSIGKILL TimeoutSec TimeoutStartSec TimeoutStopSec SyslogIdentifier
    StandardOutput StandardError StandardInput
    LimitCPU LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS LimitNOFILE LimitAS LimitNPROC LimitMEMLOCK LimitLOCKS
    LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO LimitRTTIME`),
}

/** Ordering without a manager that orders is harmless, since every unit is started by name; so are the descriptions. */
const HARMLESS: Readonly<Record<string, ReadonlySet<string>>> = {
  Unit: words(`Description Documentation After Before Wants DefaultDependencies IgnoreOnIsolate CollectMode SourcePath
    StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate`),
  Service: words(
    'ExecReload GuessMainPID SyslogFacility SyslogLevel SyslogLevelPrefix LogRateLimitIntervalSec LogRateLimitBurst',
  ),
}

/** Honoured options of which only some values can be. */
const VALUES: Readonly<Record<string, ReadonlySet<string>>> = {
  Type: words('simple exec oneshot idle'),
  KillMode: words('control-group process mixed'),
  StandardOutput: words('inherit null journal syslog journal+console'),
  StandardError: words('inherit null journal syslog journal+console'),
  StandardInput: words('null'),
}

/** One sentence that names the first option which cannot be honoured; undefined when all can. Syntax is not judged. */
export function unsupportedOption(file: UnitFile): string | undefined {
  const { type } = splitUnitName(file.name)
  if (type !== 'service') return `a ${type} unit ${WHY}`
  try {
    for (const entry of parseUnit(file).entries) if (!isSupported(entry)) return sentence(entry)
  } catch (error) {
    if (!(error instanceof UnitFileError)) throw error
  }
  return undefined
}

function isSupported({ section, key, value }: UnitEntry): boolean {
  if (section === 'Install' || section.startsWith('X-') || key.startsWith('X-')) return true
  if (HARMLESS[section]?.has(key)) return true
  const isOff = value === '' || /^(?:no|false|off|n|f)$/i.test(value)
  if (!HONOURED[section]?.has(key)) return isOff
  return value === '' || VALUES[key] === undefined || VALUES[key].has(value)
}

function sentence({ section, key, value }: UnitEntry): string {
  if (!HONOURED[section] && !HARMLESS[section]) return `[${section}] ${WHY}`
  return VALUES[key] ? `${key}=${value} ${WHY}` : `${key}= ${WHY}`
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}
