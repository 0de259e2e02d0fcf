/**
 * The part of kubectl's JSONPath that printer columns use: `.a.b[0].c`, `.a[?(@.type=="Ready")].status`, `.a[*].b`. Of
 * several values that a path leads to, the first counts, as in Kubernetes' own columns.
 */

type Step =
  | { readonly field: string }
  | { readonly index: number }
  | { readonly where: (element: unknown) => boolean }
  | { readonly each: true }

const NAME = String.raw`(?:\\.|[A-Za-z0-9_/$-])+`
const STEP = new RegExp(
  String.raw`\.(${NAME})|\[(-?\d+)\]|\[\?\(\s*@((?:\.${NAME})+)\s*(?:(==|!=|<=|>=|<|>)\s*(?:"([^"]*)"|'([^']*)'|([\w.+-]+))\s*)?\)\]|\['([^']+)'\]|(\.\*|\[\*\])`,
  'y',
)

/** Compiles a path once; the result finds its value in any object, or undefined. Throws on what it does not understand. */
export function jsonPath(path: string): (object: unknown) => unknown {
  const steps = parse(path)
  return (object) => find(object, steps, 0)
}

function parse(path: string): Step[] {
  const steps: Step[] = []
  for (let at = 0; at < path.length; ) {
    STEP.lastIndex = at // a filter's own path is parsed in between
    const match = STEP.exec(path)
    if (!match) throw new Error(`JSONPath "${path}" is not understood from "${path.slice(at)}" on`)
    at = STEP.lastIndex
    steps.push(step(match))
  }
  return steps
}

function step([, field, index, where, operator, double, single, bare, quoted, each]: RegExpExecArray): Step {
  if (index !== undefined) return { index: Number(index) }
  if (each !== undefined) return { each: true }
  if (where !== undefined) return { where: test(jsonPath(where), operator, double ?? single ?? literal(bare)) }
  return { field: quoted ?? unescaped(field ?? '') }
}

function unescaped(name: string): string {
  return name.replace(/\\(.)/g, '$1')
}

function literal(text: string | undefined): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== undefined && text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text
}

function test(read: (element: unknown) => unknown, operator: string | undefined, value: unknown): Test {
  return (element) => {
    const found = read(element)
    if (operator === undefined) return found !== undefined
    if (typeof found !== typeof value) return false
    return COMPARE[operator]?.(found as number, value as number) ?? false
  }
}

type Test = (element: unknown) => boolean

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
}

function find(value: unknown, steps: readonly Step[], from: number): unknown {
  let here = value
  for (let at = from; at < steps.length; at++) {
    const step = steps[at]
    if (step === undefined || here === null || typeof here !== 'object') return undefined
    if ('field' in step) here = fieldOf(here, step.field)
    else if ('index' in step) here = Array.isArray(here) ? here.at(step.index) : undefined
    else return firstOf(here, step, steps, at + 1)
  }
  return here
}

function fieldOf(value: object, field: string): unknown {
  return !Array.isArray(value) && Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
}

function firstOf(value: object, step: Step, steps: readonly Step[], rest: number): unknown {
  for (const element of Object.values(value)) {
    if ('where' in step && !step.where(element)) continue
    const found = find(element, steps, rest)
    if (found !== undefined) return found
  }
  return undefined
}
