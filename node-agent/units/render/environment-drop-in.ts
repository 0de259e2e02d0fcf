/** `spec.environment` as a drop-in. EnvironmentFile= still wins over it, as it does over every Environment=. */
import type { DropIn } from '../driver.ts'
import { quoteAssignment } from './quote.ts'
import type { EnvironmentVariable, Sources } from './sources.ts'

const NAME = 'zz-flotilla-environment.conf'

export function environmentDropIn(
  section: string,
  variables: readonly EnvironmentVariable[],
  sources: Sources,
): readonly DropIn[] {
  const lines = variables.flatMap((variable) => {
    const value = environmentValue(variable, sources)
    return value === undefined ? [] : [`Environment=${quoteAssignment(variable.name, value)}\n`]
  })
  return lines.length === 0 ? [] : [{ name: NAME, content: `[${section}]\n${lines.join('')}` }]
}

/** Undefined when it comes from where there is none. */
export function environmentValue(variable: EnvironmentVariable, sources: Sources): string | undefined {
  const { value, configMapKeyRef: ref } = variable
  if (ref === undefined) return value ?? ''
  const found = sources.configMapKey(ref.name, ref.key)
  return 'value' in found ? found.value : undefined
}
