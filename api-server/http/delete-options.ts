/** DeleteOptions: in the body, in the query, or both; kubectl sends them without apiVersion and kind. */
import { badRequest, invalidRequest } from '../registry/errors.ts'
import { isObject } from '../registry/patch/merge.ts'
import type { DeleteOptions } from '../registry/registry.ts'
import { parseDryRun } from './parameters.ts'

const POLICIES = ['Orphan', 'Background', 'Foreground']

export function parseDeleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  if (!isObject(body)) throw badRequest('DeleteOptions must be an object')
  const policy = body.propagationPolicy ?? query.get('propagationPolicy') ?? undefined
  if (policy !== undefined && !POLICIES.includes(String(policy))) {
    const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: ${POLICIES.map((one) => `"${one}"`).join(', ')}, "nil"`
    throw invalidRequest(`DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: ${message}`, [
      { reason: 'FieldValueNotSupported', message, field: 'propagationPolicy' },
    ])
  }
  const dryRun = parseDryRun([...query.getAll('dryRun'), ...strings(body.dryRun)])
  const preconditions = isObject(body.preconditions) ? body.preconditions : {}
  const { uid, resourceVersion } = preconditions
  return {
    dryRun,
    preconditions: {
      ...(typeof uid === 'string' && { uid }),
      ...(typeof resourceVersion === 'string' && { resourceVersion }),
    },
  }
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}
