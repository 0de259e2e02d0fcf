/** Replaces systemd's % specifiers, of which those are known whose answer does not need systemd. */
import { splitUnitName, unescapeName } from '../unit-name.ts'

/** Facts about this machine and the user that the driver runs as. */
export interface Host {
  readonly hostname: string
  readonly machineId: string
  readonly bootId: string
  /** %t: /run, or $XDG_RUNTIME_DIR of a user. */
  readonly runtimeDir: string
  readonly userName: string
  readonly uid: number
  readonly home: string
}

export type Expand = (text: string) => string

/** The returned function throws on a specifier that it does not know. */
export function specifierExpander(unitName: string, host: Host): Expand {
  const { prefix, instance } = splitUnitName(unitName)
  const values: Readonly<Record<string, string>> = {
    n: unitName,
    N: unitName.slice(0, unitName.lastIndexOf('.')),
    p: prefix,
    P: unescapeName(prefix),
    i: instance,
    I: unescapeName(instance),
    j: prefix.slice(prefix.lastIndexOf('-') + 1),
    H: host.hostname,
    m: host.machineId,
    b: host.bootId,
    t: host.runtimeDir,
    u: host.userName,
    U: String(host.uid),
    h: host.home,
    T: '/tmp',
    V: '/var/tmp',
    '%': '%',
  }
  return (text) =>
    text.replace(/%(.?)/g, (whole, letter: string) => {
      const value = values[letter]
      if (value === undefined) throw new Error(`specifier '${whole}' is not known`)
      return value
    })
}
