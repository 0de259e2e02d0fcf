/** An agent to be killed: supervises what is installed in the folder given, starts it, and says when it runs. */
import { join } from 'node:path'
import pino from 'pino'
import { openProcessDriver } from '../../node-agent/units/process.ts'

const dir = process.argv[2] ?? ''
const driver = await openProcessDriver({
  unitDir: join(dir, 'units'),
  runDir: join(dir, 'run'),
  logDir: join(dir, 'logs'),
  log: pino({ level: 'warn' }),
})
const names = [...(await driver.installed()).keys()]
await driver.start(names)
for await (const _ of driver.changes(new AbortController().signal)) {
  const units = [...(await driver.observe(names)).values()]
  if (units.every(({ activeState }) => activeState === 'active')) console.log('all active')
}
