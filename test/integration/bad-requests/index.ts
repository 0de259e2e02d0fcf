/** Every bad request, by concern. */
import { APPLIES } from './applies.ts'
import { BODIES, FIELDS, TYPES } from './bodies.ts'
import { DATA, EVENT_RULES, SERVICE_RULES } from './core-kinds.ts'
import { DEFINITIONS_ROWS } from './definitions.ts'
import { DELETES } from './deletes.ts'
import { JSON_PATCHES } from './json-patches.ts'
import { PAGES, SELECTORS, VERSIONS } from './lists.ts'
import { LISTS, METADATA, NAMES, NAMESPACED } from './metadata.ts'
import { FORMS, PATHS, VERBS } from './paths.ts'
import { POD_RULES } from './pods.ts'
import { AUTH, IMPERSONATION, NAMESPACE_RIGHTS } from './rights.ts'
import { ACCESS_REVIEWS, ROLES } from './roles.ts'
import type { Row } from './row.ts'
import { AGENT_PATHS, EVICTIONS, GUARDED, STATUS_AND_SCALE } from './subresources.ts'
import { RULES } from './units.ts'
import { MERGES, UPDATES } from './writes.ts'

export const BAD_REQUESTS: Readonly<Record<string, readonly Row[]>> = {
  paths: PATHS,
  verbs: VERBS,
  'forms of answers': FORMS,
  bodies: BODIES,
  'media types': TYPES,
  fields: FIELDS,
  names: NAMES,
  metadata: METADATA,
  namespaces: NAMESPACED,
  units: [...RULES, ...LISTS],
  data: DATA,
  services: SERVICE_RULES,
  pods: POD_RULES,
  events: EVENT_RULES,
  updates: UPDATES,
  'merge patches': MERGES,
  'JSON patches': JSON_PATCHES,
  applies: APPLIES,
  selectors: SELECTORS,
  pages: PAGES,
  'versions and watches': VERSIONS,
  definitions: DEFINITIONS_ROWS,
  deletions: DELETES,
  'status and scale': STATUS_AND_SCALE,
  evictions: [...EVICTIONS, ...GUARDED],
  'ways to an agent': AGENT_PATHS,
  'who may not': [...AUTH, ...NAMESPACE_RIGHTS],
  impersonation: IMPERSONATION,
  reviews: ACCESS_REVIEWS,
  roles: ROLES,
}
