import type { LabelSelector } from '../../crds/metadata.ts'

type Labels = Readonly<Record<string, string>>
type Expression = NonNullable<LabelSelector['matchExpressions']>[number]

/** Kubernetes' meaning: all must hold; NotIn holds where the label is absent; Gt and Lt compare whole numbers. */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  for (const key in matchLabels) if (labels[key] !== matchLabels[key]) return false
  return matchExpressions.every((expression) => holds(expression, labels))
}

/** The first part of it that these labels do not meet, in words; undefined when they meet it. */
export function unmet({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): string | undefined {
  const label = Object.entries(matchLabels).find(([key, value]) => labels[key] !== value)
  if (label) return label.join('=')
  const expression = matchExpressions.find((each) => !holds(each, labels))
  return expression && inWords(expression)
}

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return isNumber(value) && isNumber(values[0]) && compares(operator, BigInt(value), BigInt(values[0]))
  }
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^-?\d+$/.test(text)
}

function compares(operator: 'Gt' | 'Lt', a: bigint, b: bigint): boolean {
  return operator === 'Gt' ? a > b : a < b
}

function inWords({ key, operator, values = [] }: Expression): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(', ')})`
    case 'NotIn':
      return `${key} not in (${values.join(', ')})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `no ${key}`
    default:
      return `${key} ${operator === 'Gt' ? '>' : '<'} ${values[0]}`
  }
}
