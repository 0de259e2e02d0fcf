/** Combinations of placement options that can never be met, refused at the door with fleet's words. */
import { compileGlob } from './glob.ts'
import type { Violation } from './kind.ts'
import type { LabelSelector } from './metadata.ts'
import { keyValue, readXFleet } from './x-fleet.ts'

export interface PlacementLike {
  machineID?: string
  machineOf?: readonly string[]
  machineMetadata?: readonly string[]
  conflicts?: readonly string[]
  replaces?: readonly string[]
  global?: boolean
  machineSelector?: LabelSelector
  preferred?: readonly { machineSelector: LabelSelector }[]
}

/** Each peer is held against each pattern. */
const MAX_VALUES = 256

interface Asked {
  readonly peers: readonly string[]
  readonly conflicts: readonly string[]
  readonly replaces: readonly string[]
  readonly has: (option: string) => boolean
}

/** In fleet's order; the first that holds is told. */
const EXCLUDED: readonly (readonly [string, string])[] = [
  ['MachineID', 'Peers'],
  ['MachineID', 'Conflicts'],
  ['MachineID', 'Global'],
  ['MachineID', 'Replaces'],
  ['Global', 'Peers'],
  ['Global', 'Replaces'],
  ['Conflicts', 'Replaces'],
]

const FIELDS: Readonly<Record<string, string>> = {
  MachineID: 'machineID',
  Peers: 'machineOf',
  Conflicts: 'conflicts',
  Replaces: 'replaces',
  Global: 'global',
}

/** The same for a foreign API server, as far as it concerns fields: unit files and globs are beyond CEL. */
export const PLACEMENT_CEL = EXCLUDED.map(([a, b]) => ({
  rule: `!has(self.spec.placement) || !(${celHas(a)} && ${celHas(b)})`,
  message: `placement: ${a} cannot be used with ${b}`,
}))

function celHas(option: string): string {
  const field = `self.spec.placement.${FIELDS[option] ?? option}`
  const used = option === 'Global' ? field : option === 'MachineID' ? `${field} != ''` : `${field}.size() > 0`
  return `has(${field}) && ${used}`
}

/** Specifiers count as written here, as they did in fleet: %i is compared as `%i`. */
export function checkPlacement(content: string, placement: PlacementLike = {}): Violation[] {
  const inFile = unresolvable(askedInFile(content))
  const inFields = unresolvable(askedInFields(placement))
  return [
    ...(inFile === undefined ? [] : [{ path: ['spec', 'content'], message: inFile }]),
    ...(inFields === undefined ? [] : [{ path: ['spec', 'placement'], message: inFields }]),
    ...(placement.machineMetadata ?? []).flatMap((text, at) =>
      keyValue(text) ? [] : [{ path: ['spec', 'placement', 'machineMetadata', at], message: 'must be one key=value' }],
    ),
    ...checkSelector(placement.machineSelector, ['spec', 'placement', 'machineSelector']),
    ...(placement.preferred ?? []).flatMap(({ machineSelector }, at) =>
      checkSelector(machineSelector, ['spec', 'placement', 'preferred', at, 'machineSelector']),
    ),
  ]
}

function askedInFile(content: string): Asked {
  const { machineOf: peers, conflicts, replaces, given } = readXFleet(content)
  return { peers, conflicts, replaces, has: (option) => given.has(option === 'Peers' ? 'MachineOf' : option) }
}

function askedInFields({ machineID, machineOf, conflicts, replaces, global }: PlacementLike): Asked {
  const given: Readonly<Record<string, boolean>> = {
    MachineID: Boolean(machineID),
    Peers: Boolean(machineOf?.length),
    Conflicts: Boolean(conflicts?.length),
    Replaces: Boolean(replaces?.length),
    Global: global === true,
  }
  return {
    peers: machineOf ?? [],
    conflicts: conflicts ?? [],
    replaces: replaces ?? [],
    has: (option) => given[option] === true,
  }
}

function unresolvable({ peers, conflicts, replaces, has }: Asked): string | undefined {
  if (Math.max(peers.length, conflicts.length, replaces.length) > MAX_VALUES)
    return `MachineOf, Conflicts and Replaces hold at most ${MAX_VALUES} values each`
  for (const [word, patterns] of [
    ['conflict', conflicts],
    ['replace', replaces],
  ] as const) {
    const globs = patterns.map((pattern) => ({ pattern, matches: compileGlob(pattern) }))
    for (const peer of peers) {
      const pattern = globs.find(({ matches }) => matches(peer))?.pattern
      if (pattern !== undefined) return `unresolvable requirements: peer "${peer}" matches ${word} "${pattern}"`
    }
  }
  const pair = EXCLUDED.find(([a, b]) => has(a) && has(b))
  return pair && `${pair[0]} cannot be used with ${pair[1]}`
}

type Path = readonly (string | number)[]

function checkSelector(selector: LabelSelector | undefined, path: Path): Violation[] {
  return (selector?.matchExpressions ?? []).flatMap(({ operator, values = [] }, at) => {
    const message = wrongValues(operator, values)
    return message === undefined ? [] : [{ path: [...path, 'matchExpressions', at, 'values'], message }]
  })
}

function wrongValues(operator: string, values: readonly string[]): string | undefined {
  if (operator === 'In' || operator === 'NotIn') return values.length > 0 ? undefined : 'must hold at least one value'
  if (operator === 'Gt' || operator === 'Lt')
    return values.length === 1 && /^-?\d+$/.test(values[0] ?? '') ? undefined : 'must hold exactly one whole number'
  return values.length === 0 ? undefined : `must be left out with ${operator}`
}
