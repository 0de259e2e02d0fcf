/** A user's schema, before it is taken: is it structural, of bounded size, and does all of it compile? */
import type { Violation } from '../../../../crds/kind.ts'
import { checkCompleteness } from './completeness.ts'
import { checkInvariants } from './invariants.ts'
import { checkKeywords } from './keywords.ts'
import { checkPresets } from './presets.ts'
import { Report } from './report.ts'
import { checkRules } from './rules.ts'
import { hasShape } from './shape.ts'

/**
 * What keeps a schema from being structural and compilable, in Kubernetes' words; at most 100 violations. `path` is
 * where the schema lies in the CRD, e.g. `['spec', 'versions', 0, 'schema', 'openAPIV3Schema']`.
 */
export function checkSchema(schema: unknown, path: readonly (string | number)[]): Violation[] {
  const report = new Report()
  if (!hasShape(schema, path, report)) return report.violations
  checkKeywords(schema, path, report)
  checkInvariants(schema, path, report)
  checkCompleteness(schema, path, report)
  // Defaults and rules are compiled; on a schema that is not sound that could only say the same again.
  if (report.violations.length > 0) return report.violations
  checkPresets(schema, path, report)
  checkRules(schema, path, report)
  return report.violations
}
