/** Which limits the kernel lets this systemd enforce: a user's systemd has only what was delegated to it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { UnitFile } from '../driver.ts'
import type { SystemdBus } from '../systemd-bus.ts'
import { parseUnitFile } from '../unit-file.ts'
import { LIMITS_DROP_IN } from './limits-drop-in.ts'

const CGROUPS = '/sys/fs/cgroup'
const CONTROLLERS: Readonly<Record<string, string>> = { CPUQuota: 'cpu', MemoryMax: 'memory', TasksMax: 'pids' }

/**
 * Names of the controllers. On cgroup v1, and where v2 has none of them beside it, only the system's own manager has
 * any; `root` is where the hierarchies are mounted.
 */
export async function availableControllers(
  bus: Pick<SystemdBus, 'managerProperty'>,
  kind: 'system' | 'user',
  root = CGROUPS,
): Promise<ReadonlySet<string>> {
  const ownGroup = kind === 'user' ? String(await bus.managerProperty('ControlGroup')) : ''
  const listed = await readFile(join(root, ownGroup, 'cgroup.controllers'), 'utf8').catch(() => '')
  if (listed.trim() !== '') return new Set(listed.trim().split(/\s+/))
  if (kind === 'user') return new Set()
  // v1: one folder a hierarchy, named by its controllers.
  const folders = await readdir(root).catch(() => [])
  return new Set(folders.flatMap((folder) => folder.split(',')))
}

/** Why the limits of this file could not be enforced, in one sentence; undefined when they can. */
export function unenforceable({ dropIns = [] }: UnitFile, available: ReadonlySet<string>): string | undefined {
  const limits = dropIns.find(({ name }) => name === LIMITS_DROP_IN)
  const lacking = limits && parseUnitFile(limits.content).entries.find(({ key }) => !isThere(key, available))
  if (lacking === undefined) return undefined
  const controller = CONTROLLERS[lacking.key]
  return `spec.resources.limits: ${lacking.key}= cannot be enforced here: systemd was not given the ${controller} controller`
}

function isThere(key: string, available: ReadonlySet<string>): boolean {
  const controller = CONTROLLERS[key]
  return controller === undefined || available.has(controller)
}
