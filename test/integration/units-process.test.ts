import { join } from 'node:path'
import pino from 'pino'
import type { UnitDriver } from '../../node-agent/units/driver.ts'
import { openProcessDriver } from '../../node-agent/units/process.ts'
import { type UnitDriverRig, unitDriverSuite } from '../suites/unit-driver-suite.ts'
import { tempDir } from '../support/temp-dir.ts'

const log = pino({ level: 'warn' })

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // ESRCH: that is the answer
  }
}

async function open(): Promise<UnitDriverRig> {
  const dir = tempDir()
  const openDriver = () =>
    openProcessDriver({ unitDir: join(dir, 'units'), runDir: join(dir, 'run'), logDir: join(dir, 'logs'), log })
  let driver: UnitDriver = await openDriver()
  return {
    driver,
    isAlive,
    kill: (pid, signal) => process.kill(pid, signal),
    async reopen() {
      await driver.close()
      driver = await openDriver()
      return driver
    },
  }
}

unitDriverSuite('process', { open })
