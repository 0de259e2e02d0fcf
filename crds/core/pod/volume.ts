/** The volumes that a machine can provide by itself, and the claim; cloud providers' own are unknown fields. */
import * as z from 'zod'
import { Quantity } from '../../metadata.ts'
import { atomicList, StringMap } from '../lists.ts'
import { LocalObjectReference } from '../references.ts'
import { FieldSelector, ResourceFieldSelector } from './container.ts'

const KeyToPath = z.strictObject({ key: z.string(), path: z.string(), mode: z.int().optional() })
const Items = atomicList(KeyToPath).optional()
const DownwardFile = z.strictObject({
  path: z.string(),
  fieldRef: FieldSelector.optional(),
  resourceFieldRef: ResourceFieldSelector.optional(),
  mode: z.int().optional(),
})
const Named = { name: z.string().default(''), items: Items, optional: z.boolean().optional() }

const Projection = z.strictObject({
  secret: z.strictObject(Named).optional(),
  configMap: z.strictObject(Named).optional(),
  downwardAPI: z.strictObject({ items: atomicList(DownwardFile).optional() }).optional(),
  serviceAccountToken: z
    .strictObject({ audience: z.string().optional(), expirationSeconds: z.int().default(3600), path: z.string() })
    .optional(),
})

const sources = {
  emptyDir: z
    .strictObject({ medium: z.string().optional(), sizeLimit: Quantity.optional() })
    .optional()
    .describe('Empty at the start, gone with the pod.'),
  hostPath: z.strictObject({ path: z.string(), type: z.string().default('') }).optional(),
  configMap: z.strictObject({ ...Named, defaultMode: z.int().default(420) }).optional(),
  secret: z
    .strictObject({
      secretName: z.string().optional(),
      items: Items,
      defaultMode: z.int().default(420),
      optional: z.boolean().optional(),
    })
    .optional(),
  downwardAPI: z
    .strictObject({ items: atomicList(DownwardFile).optional(), defaultMode: z.int().default(420) })
    .optional(),
  projected: z
    .strictObject({ sources: atomicList(Projection).optional(), defaultMode: z.int().default(420) })
    .optional(),
  persistentVolumeClaim: z.strictObject({ claimName: z.string(), readOnly: z.boolean().optional() }).optional(),
  nfs: z.strictObject({ server: z.string(), path: z.string(), readOnly: z.boolean().optional() }).optional(),
  image: z.strictObject({ reference: z.string().optional(), pullPolicy: z.string().optional() }).optional(),
  csi: z
    .strictObject({
      driver: z.string(),
      fsType: z.string().optional(),
      readOnly: z.boolean().optional(),
      volumeAttributes: StringMap.optional(),
      nodePublishSecretRef: LocalObjectReference.optional(),
    })
    .optional(),
}
export const VOLUME_SOURCES = Object.keys(sources)

export const Volume = z.strictObject({ name: z.string().describe('What mounts call it.'), ...sources })
