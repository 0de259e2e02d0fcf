/**
 * Three questions about a unit's files, three answers.
 *
 * - `contentHash`: which content is this? SHA-1 of the unit file alone, as fleet's; what status.hash reports.
 * - `filesHash`: is what is installed what should be? Of the file and all drop-ins, the generated ones too.
 * - `restartHash`: is it another unit than the one that was started? Of what a person wrote: the file, drop-ins, literal
 *   values and the names of ConfigMaps and Secrets, but not what is in those (0022).
 *
 * Of a unit that is a file and nothing else the three are equal: records of earlier agents stay true.
 */
import { createHash } from 'node:crypto'
import type { Unit } from '../../../crds/unit.ts'
import type { UnitFile } from '../driver.ts'
import { inOrder } from '../unit-directory.ts'
import type { GeneratedDropIn } from './render-unit.ts'

/** Of the content alone: equal files have equal hashes whatever their names. */
export function contentHash(content: string): string {
  return createHash('sha1').update(content).digest('hex')
}

export function filesHash(file: UnitFile): string {
  const { content, dropIns = [] } = inOrder(file)
  return together(content, dropIns.length === 0 ? [] : dropIns.map(({ name, content: text }) => [name, text]))
}

export function restartHash({ spec }: Readonly<Unit>, extra: readonly GeneratedDropIn[] = []): string {
  const { content, dropIns = [], environment = [], credentials = [] } = spec
  const parts = [
    ...dropIns.map(({ name, content: text }) => ['dropIn', name, text]),
    ...environment.map(({ name, value, configMapKeyRef: ref }) => ['environment', name, value, ref?.name, ref?.key]),
    ...credentials.map(({ name, secretKeyRef: ref }) => ['credential', name, ref.name, ref.key]),
    ...extra.filter(({ restarts }) => restarts).map(({ name, content: text }) => ['generated', name, text]),
  ]
  // By name, since they are lists by name: an apply may hand them over in another order.
  return together(content, parts.map((part) => JSON.stringify(part)).toSorted())
}

function together(content: string, parts: readonly unknown[]): string {
  return parts.length === 0 ? contentHash(content) : contentHash(JSON.stringify([content, ...parts]))
}
