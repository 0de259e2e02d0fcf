/** `flotilla down`: removes what `up` could not remove itself. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { removeResidue } from '../../node-agent/lab/index.ts'
import { openUnitDriver } from '../../node-agent/units/open.ts'
import { createLog } from '../log.ts'
import { createProgress } from './progress.ts'

export async function down(dataDir: string): Promise<void> {
  const progress = createProgress()
  if (!existsSync(dataDir)) {
    progress.say(`nothing to remove: ${dataDir} does not exist`)
    return
  }
  const removed = process.getuid?.() === 0 ? await removeResidue(dataDir) : []
  for (const what of removed) progress.say(`removed ${what}`)
  const units = await removeHereUnits(join(dataDir, 'here'))
  for (const name of units) progress.say(`stopped ${name}`)
  if (removed.length + units.length === 0) progress.say('nothing to remove')
}

/** Units of `--here` outlive a killed `up`; whoever runs them is asked to let them go. */
async function removeHereUnits(dataDir: string): Promise<string[]> {
  if (!existsSync(dataDir)) return []
  const { driver } = await openUnitDriver({ kind: 'auto', dataDir, log: createLog('error', 'down') })
  const names = [...(await driver.installed()).keys()]
  await driver.close({ stopUnits: true })
  return names
}
