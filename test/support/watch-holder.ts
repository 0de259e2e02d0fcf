/** A client to be killed: `watch-holder.ts KUBECONFIG PATH COUNT` opens watches, says so, and holds them. */
import { doorOf, openWatches } from './idle-clients.ts'

const [kubeconfig = '', path = '', count = '1'] = process.argv.slice(2)
await openWatches(doorOf(kubeconfig), path, Number(count))
console.log('holding')
