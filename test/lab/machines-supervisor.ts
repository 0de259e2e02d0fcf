/** A process that opens a lab of two machines and holds it until it is killed: the victim of machines.test.ts. */
import { openLab } from '../../node-agent/lab/index.ts'

const [dataDir = ''] = process.argv.slice(2)
const silent = () => undefined
const lab = await openLab({ dataDir, log: { debug: silent, info: silent, warn: silent } })
const machines = await Promise.all(['v1', 'v2'].map((name) => lab.create(name)))
await Promise.all(machines.map((machine) => machine.waitRunning(15_000)))
console.log(`up ${machines.map((machine) => machine.pid()).join(' ')}`)
