/** Messages of k8s.io.apimachinery.pkg.apis.meta.v1. */
import {
  bool,
  integer,
  list,
  type Message,
  nested,
  optionalBool,
  optionalInteger,
  optionalNested,
  optionalText,
  text,
  textMap,
  texts,
  time,
} from './message.ts'

const OwnerReference: Message = {
  1: text('kind'),
  3: text('name'),
  4: text('uid'),
  5: text('apiVersion'),
  6: optionalBool('controller'),
  7: optionalBool('blockOwnerDeletion'),
}

/** managedFields (17) is the server's own business and not read. */
export const ObjectMeta: Message = {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  4: text('selfLink'),
  5: text('uid'),
  6: text('resourceVersion'),
  7: integer('generation'),
  8: time('creationTimestamp'),
  9: time('deletionTimestamp'),
  10: optionalInteger('deletionGracePeriodSeconds'),
  11: textMap('labels'),
  12: textMap('annotations'),
  13: list('ownerReferences', OwnerReference),
  14: texts('finalizers'),
}

const Requirement: Message = { 1: text('key'), 2: text('operator'), 3: texts('values') }
export const LabelSelector: Message = { 1: textMap('matchLabels'), 2: list('matchExpressions', Requirement) }

export const Condition: Message = {
  1: text('type'),
  2: text('status'),
  3: integer('observedGeneration'),
  4: time('lastTransitionTime'),
  5: text('reason'),
  6: text('message'),
}

const Preconditions: Message = { 1: optionalText('uid'), 2: optionalText('resourceVersion') }

export const DeleteOptions: Message = {
  1: optionalInteger('gracePeriodSeconds'),
  2: optionalNested('preconditions', Preconditions),
  3: optionalBool('orphanDependents'),
  4: optionalText('propagationPolicy'),
  5: texts('dryRun'),
  6: bool('ignoreStoreReadErrorWithClusterBreakingPotential'),
}

/** Every object begins with its metadata. */
export const object = (fields: Message): Message => ({ 1: nested('metadata', ObjectMeta), ...fields })
