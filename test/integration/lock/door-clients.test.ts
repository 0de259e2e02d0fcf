import { startProduct } from '../../support/product.ts'
import { lockSuite } from './client-suite.ts'

lockSuite('the door of Flotilla', async () => {
  const product = await startProduct(['server', '--legacy-listen', '127.0.0.1:0'])
  return { url: product.endpoints.etcdV2 ?? '', [Symbol.asyncDispose]: async () => void (await product.stop()) }
}).run()
