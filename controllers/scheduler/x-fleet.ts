/** The [X-Fleet] section of a unit file, as far as placement asks for it. */

/** Options of old units, which fleet still accepts, and what they are called now. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  'X-ConditionMachineID': 'MachineID',
  'X-ConditionMachineBootID': 'MachineID',
  MachineBootID: 'MachineID',
  'X-ConditionMachineOf': 'MachineOf',
  'X-ConditionMachineMetadata': 'MachineMetadata',
  'X-Conflicts': 'Conflicts',
}

/** Values by option name; an option given twice has two values. Empty when there is no such section. */
export function readXFleet(content: string): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>()
  if (!content.includes('[X-Fleet]')) return options
  let inside = false
  for (const line of content.split('\n').map((l) => l.trim())) {
    if (line.startsWith('[')) inside = line === '[X-Fleet]'
    else if (inside && line !== '' && !line.startsWith('#') && !line.startsWith(';')) addOption(options, line)
  }
  return options
}

function addOption(options: Map<string, string[]>, line: string): void {
  const equals = line.indexOf('=')
  if (equals < 0) return
  const written = line.slice(0, equals).trim()
  const name = OLD_NAMES[written] ?? written
  options.set(name, [...(options.get(name) ?? []), line.slice(equals + 1).trim()])
}
