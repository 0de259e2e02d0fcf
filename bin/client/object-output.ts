/** Objects as YAML, JSON or names. */
import type { ApiObject } from '../../crds/kind.ts'
import { toYaml } from '../../crds/yaml.ts'
import { qualifiedName, type ResourceType } from './resources.ts'

export type ObjectFormat = 'yaml' | 'json' | 'name'

export function isObjectFormat(format: string | undefined): format is ObjectFormat {
  return format === 'yaml' || format === 'json' || format === 'name'
}

/** Who owns which field is bookkeeping between tools; nobody reads it. */
export function withoutManagedFields(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Several objects become one `List`, as kubectl has it. */
export function renderObjects(objects: readonly ApiObject[], format: 'yaml' | 'json', isList: boolean): string {
  const [first] = objects
  if (!isList && first) return renderObject(first, format)
  const items = objects.map(withoutManagedFields)
  return render({ apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } }, format)
}

export function renderObject(object: ApiObject, format: 'yaml' | 'json'): string {
  return render(withoutManagedFields(object), format)
}

function render(value: unknown, format: 'yaml' | 'json'): string {
  return format === 'json' ? `${JSON.stringify(value, null, 4)}\n` : toYaml(value)
}

export function renderName(type: ResourceType, object: ApiObject): string {
  return `${qualifiedName(type, object.metadata.name)}\n`
}
