/** Whatever a junctor speaks of must be specified outside of it, too (apiextensions schema/complete.go). */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import { dotted } from '../../../registry/schema-causes.ts'
import { isSchema } from '../node.ts'
import { keyed, type Path, type Report } from './report.ts'

export function checkCompleteness(schema: JsonSchema, path: Path, report: Report): void {
  junctors(schema, { schema, path }, path, report)
}

/** What the junctors of a place narrow. */
interface Spine {
  readonly schema: JsonSchema | undefined
  readonly path: Path
}

function junctors(narrowing: JsonSchema, spine: Spine, path: Path, report: Report): void {
  if (isSchema(narrowing.not)) nested(narrowing.not, spine, [...path, 'not'], report)
  for (const junctor of ['allOf', 'anyOf', 'oneOf'])
    for (const [i, child] of ((narrowing[junctor] ?? []) as JsonSchema[]).entries())
      nested(child, spine, [...path, junctor, i], report)
}

function nested(narrowing: JsonSchema, spine: Spine, path: Path, report: Report): void {
  const { schema } = spine
  if (!schema) {
    report.required(spine.path, `because it is defined in ${dotted(path)}`)
    return
  }
  junctors(narrowing, spine, path, report)
  const { items } = schema
  if (isSchema(narrowing.items))
    nested(
      narrowing.items,
      { schema: isSchema(items) ? items : undefined, path: [...spine.path, 'items'] },
      [...path, 'items'],
      report,
    )
  for (const [name, child] of Object.entries(narrowing.properties ?? {})) {
    const named = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined
    nested(
      child,
      { schema: named, path: keyed(spine.path, 'properties', name) },
      keyed(path, 'properties', name),
      report,
    )
  }
}
