import * as z from 'zod'
import type { ApiObject, Column, ObjectOf, Violation } from '../kind.ts'
import { LabelSelector } from '../metadata.ts'
import { defineBuiltIn, recordAt } from './built-in.ts'
import { AGE } from './columns.ts'
import { atomic } from './lists.ts'
import { CoreConditions } from './references.ts'

/** Unlike elsewhere, text that is no percentage is refused by a rule, with the rule's words. */
const Amount = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true })

export const PodDisruptionBudget = defineBuiltIn({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  scope: 'Namespaced',
  status: true,
  generation: true,
  unconditionalUpdate: false,
  description: 'How many of the pods that a selector finds may be taken away at once by an eviction.',
  fields: {
    spec: z
      .strictObject({
        minAvailable: Amount.optional().describe('So many pods, or percent of them, must stay.'),
        maxUnavailable: Amount.optional().describe('So many pods, or percent of them, may be missing.'),
        selector: atomic(LabelSelector)
          .meta({ 'x-kubernetes-patch-strategy': 'replace' })
          .optional()
          .describe('The pods it is about; an empty selector is all of the namespace.'),
        unhealthyPodEvictionPolicy: z.enum(['IfHealthyBudget', 'AlwaysAllow']).optional(),
      })
      .default({}),
    status: z
      .strictObject({
        currentHealthy: z.int().default(0),
        desiredHealthy: z.int().default(0),
        disruptionsAllowed: z.int().default(0),
        expectedPods: z.int().default(0),
        disruptedPods: z.record(z.string(), z.string()).optional(),
        observedGeneration: z.int().optional(),
        conditions: CoreConditions.optional(),
      })
      .optional(),
  },
  columns: [
    amount('Min Available', 'minAvailable', 'How many must stay.'),
    amount('Max Unavailable', 'maxUnavailable', 'How many may be missing.'),
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      jsonPath: '.status.disruptionsAllowed',
      description: 'How many evictions it would allow now.',
      cell: (object) => Number(recordAt(object, 'status')?.disruptionsAllowed ?? 0),
    },
    AGE,
  ],
  complete: (object) => {
    object.status ??= { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
  },
  check: checkBudget,
})
export type PodDisruptionBudget = ObjectOf<typeof PodDisruptionBudget>

function amount(name: string, field: string, description: string): Column {
  const cell = (object: ApiObject) => String(recordAt(object, 'spec')?.[field] ?? 'N/A')
  return { name, type: 'string', jsonPath: `.spec.${field}`, description, cell }
}

const PERCENT = /^(\d+)%$/

function checkBudget(object: ApiObject): Violation[] {
  const spec = recordAt(object, 'spec') ?? {}
  const both = spec.minAvailable !== undefined && spec.maxUnavailable !== undefined
  const message = 'minAvailable and maxUnavailable cannot be both set'
  return [
    ...(both ? [{ path: ['spec'], value: {}, message }] : []),
    ...['minAvailable', 'maxUnavailable'].flatMap((field) => checkAmount(field, spec[field])),
  ]
}

function checkAmount(field: string, value: unknown): Violation[] {
  const path = ['spec', field]
  if (typeof value === 'number' && value < 0) return [{ path, message: 'must be greater than or equal to 0' }]
  if (typeof value !== 'string') return []
  const percent = PERCENT.exec(value)?.[1]
  if (percent === undefined)
    return [
      {
        path,
        message:
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      },
    ]
  return Number(percent) > 100 ? [{ path, message: 'must not be greater than 100%' }] : []
}
