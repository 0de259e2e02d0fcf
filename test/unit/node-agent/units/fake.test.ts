import { type FakeUnitDriver, openFakeDriver } from '../../../../node-agent/units/fake.ts'
import { unitDriverSuite } from '../../../suites/unit-driver-suite.ts'

unitDriverSuite('fake', {
  async open() {
    const driver: FakeUnitDriver = await openFakeDriver()
    return { driver, kill: driver.kill, isAlive: driver.isAlive }
  },
})
