import { checkUnitName } from '../../crds/unit-name.ts'

/** `web`, `unit/web.service` or `units/web.service` to the name of a Unit; `.service` is understood, as systemctl does. */
export function unitNameOf(word: string): string {
  const name = word.replace(/^(units?|un)(\.flotilla\.dev)?\//i, '')
  if (name.includes('/')) throw new Error(`"${word}" is no unit`)
  return checkUnitName(name) === undefined ? name : `${name}.service`
}
