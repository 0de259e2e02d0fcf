/** The schema engine for users' own kinds: pruning, defaulting, validation and CEL rules of one version of one CRD. */
import type { JsonSchema } from '../../../crds/json-schema.ts'
import type { ApiObject } from '../../../crds/kind.ts'
import { type Cause, invalidValue } from '../../registry/errors.ts'
import { compileRules } from './cel/compile-rules.ts'
import { runRules } from './cel/run-rules.ts'
import { fillDefaults } from './defaults.ts'
import { checkLists } from './lists.ts'
import { BudgetSpent, createMeter, type Meter } from './meter.ts'
import { type SchemaNode, schemaNode } from './node.ts'
import { prune } from './prune.ts'
import { NO_FIELD } from './value-causes.ts'
import { valueChecker } from './values.ts'

export interface CompiledSchema {
  /**
   * Removes (in place) what the schema does not know and returns the paths removed (the first 1000), such as
   * `spec.list[0].bogus`. apiVersion, kind and metadata are known at the root and in embedded resources.
   */
  prune(object: ApiObject): string[]
  /** Fills defaults in place, top down. A null that the schema does not allow becomes the default, or goes. */
  fillDefaults(object: ApiObject): void
  /**
   * Every way in which the object breaks its schema, in kube-apiserver's words; `previous` is absent on create. What is as
   * it was there is not told again (`ratchet.ts`).
   */
  check(object: ApiObject, previous: ApiObject | undefined): Cause[]
}

/** Steps of CEL, as `cel/cost.ts` counts them, that one object may take: about 0.3 s. */
const RULE_BUDGET = 2_000_000
/** Steps of regular expressions that one object may take: about 0.3 s. */
const PATTERN_BUDGET = 20_000_000
/** Deeper objects are refused before anything walks them. */
const MAX_OBJECT_DEPTH = 500

/** For schemas that `checkSchema` found nothing against; throws an Error for others where it cannot go on. */
export function compileSchema(openAPIV3Schema: JsonSchema): CompiledSchema {
  const root = schemaNode(openAPIV3Schema)
  const meter = createMeter(PATTERN_BUDGET)
  const checkValue = valueChecker(meter)
  const ruleMeter = createMeter(RULE_BUDGET)
  const rules = compileRules(root, ruleMeter)
  return {
    prune: (object) => prune(object, root),
    fillDefaults: (object) => fillDefaults(object, root),
    check(object, previous) {
      if (isTooDeep(object)) return [invalidValue('', '', `must not be nested deeper than ${MAX_OBJECT_DEPTH} levels`)]
      const causes = boundedCheck(() => checkValue(object, root, '', previous), meter)
      causes.push(...listCauses(object, previous, root))
      if (!rules) return causes
      if (causes.some(({ reason }) => BLOCKING.has(reason))) return [...causes, RULES_NOT_RUN]
      return [...causes, ...runRules(rules, object, previous, ruleMeter)]
    },
  }
}

/** As in Kubernetes: whoever had such lists may go on having them. */
function listCauses(object: ApiObject, previous: ApiObject | undefined, root: SchemaNode): Cause[] {
  const causes: Cause[] = []
  checkLists(object, root, '', causes)
  if (causes.length === 0 || previous === undefined) return causes
  const before: Cause[] = []
  checkLists(previous, root, '', before)
  return before.length > 0 ? [] : causes
}

/** Rules may rely on these; they are not run on an object that has any. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueRequired',
  'FieldValueTypeInvalid',
  'FieldValueNotSupported',
  'FieldValueTooLong',
  'FieldValueTooMany',
])
const RULES_NOT_RUN = invalidValue(
  NO_FIELD,
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

function boundedCheck(check: () => Cause[], meter: Meter): Cause[] {
  meter.reset()
  try {
    return check()
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error
    return [invalidValue(NO_FIELD, '', 'matching the patterns of the schema takes more steps than one object may take')]
  }
}

function isTooDeep(object: unknown): boolean {
  let level: unknown[] = [object]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_OBJECT_DEPTH) return true
    level = level.flatMap((one) => (one !== null && typeof one === 'object' ? Object.values(one) : []))
  }
  return false
}

export { checkSchema } from './structural/index.ts'
