/** A kind's own part of a write, in the order in which the registry does it: complete, schema, rules. */
import type { ApiObject, Kind, Violation } from '../../../../crds/kind.ts'

export interface Taken {
  readonly object: ApiObject
  /** `spec.ports[0].name FieldValueRequired`: where and what. */
  readonly refused: readonly string[]
}

export function take(kind: Kind, input: object, previous?: ApiObject): Taken {
  const object = {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { name: 'x' },
    ...structuredClone(input),
  } as ApiObject
  kind.complete?.(object, previous)
  const parsed = kind.schema.safeParse(object)
  if (!parsed.success)
    return { object, refused: parsed.error.issues.map(({ path, code }) => `${path.join('.')} ${code}`) }
  const taken = parsed.data as unknown as ApiObject
  return { object: taken, refused: (kind.check?.(taken, previous) ?? []).map(say) }
}

function say({ path, reason = 'FieldValueInvalid' }: Violation): string {
  const field = path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )
  return `${field} ${reason}`
}

/** A cell of `kubectl get`, by the column's name. */
export function cell(kind: Kind, name: string, object: object, now = new Date('2026-01-01T01:00:00Z')): unknown {
  const column = kind.columns.find((one) => one.name === name)
  if (column?.cell === undefined) throw new Error(`no computed column ${name}`)
  return column.cell({ metadata: { name: 'x' }, ...object } as ApiObject, now)
}
