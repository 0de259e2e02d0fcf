/** Users, rights and confinement of a pod and its containers. */
import * as z from 'zod'
import { atomicList } from '../lists.ts'

const SeLinux = z.strictObject({
  level: z.string().optional(),
  role: z.string().optional(),
  type: z.string().optional(),
  user: z.string().optional(),
})
const Profile = z.strictObject({ type: z.string(), localhostProfile: z.string().optional() })
const Windows = z.strictObject({
  gmsaCredentialSpec: z.string().optional(),
  gmsaCredentialSpecName: z.string().optional(),
  hostProcess: z.boolean().optional(),
  runAsUserName: z.string().optional(),
})

const shared = {
  runAsUser: z.int().optional(),
  runAsGroup: z.int().optional(),
  runAsNonRoot: z.boolean().optional(),
  seLinuxOptions: SeLinux.optional(),
  seccompProfile: Profile.optional(),
  appArmorProfile: Profile.optional(),
  windowsOptions: Windows.optional(),
}

export const PodSecurityContext = z.strictObject({
  ...shared,
  fsGroup: z.int().optional(),
  fsGroupChangePolicy: z.string().optional(),
  supplementalGroups: atomicList(z.int()).optional(),
  supplementalGroupsPolicy: z.string().optional(),
  seLinuxChangePolicy: z.string().optional(),
  sysctls: atomicList(z.strictObject({ name: z.string(), value: z.string() })).optional(),
})

export const ContainerSecurityContext = z.strictObject({
  ...shared,
  privileged: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  procMount: z.string().optional(),
  capabilities: z
    .strictObject({ add: atomicList(z.string()).optional(), drop: atomicList(z.string()).optional() })
    .optional(),
})
