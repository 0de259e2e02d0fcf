/** The part of kubectl's JSONPath that printer columns use: `.a.b[0].c` and `.a[?(@.type=="Ready")].status`. */

type Step =
  | { readonly field: string }
  | { readonly index: number }
  | { readonly where: string; readonly equals: string }

const STEP = /\.([A-Za-z0-9_-]+)|\[(\d+)\]|\[\?\(@\.([A-Za-z0-9_-]+)\s*==\s*["']([^"']*)["']\)\]|\['([^']+)'\]/y

/** Compiles a path once; the result finds its value in any object, or undefined. */
export function jsonPath(path: string): (object: unknown) => unknown {
  const steps = parse(path)
  return (object) => steps.reduce<unknown>(follow, object)
}

function parse(path: string): Step[] {
  const steps: Step[] = []
  STEP.lastIndex = 0
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex
    const match = STEP.exec(path)
    if (!match) throw new Error(`JSONPath "${path}" is not understood from "${path.slice(at)}" on`)
    steps.push(step(match))
  }
  return steps
}

function step([, field, index, where, equals, quoted]: RegExpExecArray): Step {
  if (index !== undefined) return { index: Number(index) }
  if (where !== undefined) return { where, equals: equals ?? '' }
  return { field: field ?? quoted ?? '' }
}

function follow(value: unknown, step: Step): unknown {
  if (value === null || typeof value !== 'object') return undefined
  if (!Array.isArray(value))
    return 'field' in step && Object.hasOwn(value, step.field)
      ? (value as Record<string, unknown>)[step.field]
      : undefined
  if ('field' in step) return undefined
  if ('index' in step) return value[step.index]
  return value.find((item) => item !== null && typeof item === 'object' && item[step.where] === step.equals)
}
