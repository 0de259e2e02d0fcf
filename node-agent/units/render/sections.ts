/** Types of units that run processes, and the section in which these get their environment and credentials. */
import { splitUnitName } from '../unit-name.ts'

const SECTIONS: Readonly<Record<string, string>> = {
  service: 'Service',
  socket: 'Socket',
  mount: 'Mount',
  swap: 'Swap',
}

export function execSection(unitName: string): string | undefined {
  return SECTIONS[splitUnitName(unitName).type]
}
