/**
 * What a unit asks for and nobody acts on. It is said in a condition, by field, so that nobody believes in a rule that
 * is not kept.
 */
import type { Unit } from '../../crds/unit.ts'
import { isGlobal } from '../../crds/unit-set.ts'
import { keyValue, readXFleet } from '../../crds/x-fleet.ts'

type Spec = Readonly<Unit['spec']>

const memo = new WeakMap<Spec, readonly string[]>()

/** Fields, sorted. Remembered by spec object: informers never change an object in place. */
export function notActedOn(spec: Spec): readonly string[] {
  let known = memo.get(spec)
  if (!known) {
    known = look(spec)
    memo.set(spec, known)
  }
  return known
}

function look(spec: Spec): readonly string[] {
  const xFleet = readXFleet(spec.content)
  const fields = [
    // Those are placed by the unit-set controller, which looks when something changes, not when time has passed.
    ...(isGlobal(spec) && spec.placement?.tolerations?.some((each) => each.tolerationSeconds !== undefined)
      ? ['spec.placement.tolerations.tolerationSeconds of a Global unit']
      : []),
    // fleet ignored these without a word.
    ...xFleet.machineMetadata
      .filter((pair) => !keyValue(pair))
      .map((pair) => `[X-Fleet] MachineMetadata=${pair} (not one key=value)`),
  ]
  return fields.toSorted()
}
