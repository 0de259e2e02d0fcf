/**
 * Run as a process of its own, in network and process namespaces of its own: `linearizable-etcd.ts OPERATIONS ROUNDS
 * FAULT …`. Two servers over three etcd members, to which the faults happen one after the other. Prints what it saw, and
 * ends with 1 where that cannot be.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EtcdMember } from '../support/etcd.ts'
import { type EtcdNetwork, startEtcdNetwork } from '../support/etcd-network.ts'
import { longestGapMs, type Recording } from '../support/linearizability/recorder.ts'
import { targetOf } from '../support/linearizability/target.ts'
import { type Product, startProduct } from '../support/product.ts'
import { type Fault, progress, runUnderFaults } from './linearizable.ts'

/** Writes between one fault and the next, and while one lasts. */
const BETWEEN = 20
const DURING = 10
/** Shorter than its clients wait: what it then answers was asked before the pause, and must not be stale. */
const SERVER_PAUSE_MS = 2_000

const KILL = 'etcd leader killed'
let kills = 0
const gaps = new Map<string, number[]>()

/** What the fault does to writers: the longest time without an acknowledged write, from its beginning until it is over. */
function measured(name: string, fault: Fault): Fault {
  return async (recording) => {
    await progress(recording, BETWEEN, `writes before: ${name}`)
    const begunMs = performance.now()
    await fault(recording)
    const gapMs = Math.round(longestGapMs(recording, begunMs, performance.now()))
    gaps.set(name, [...(gaps.get(name) ?? []), gapMs])
  }
}

function leaderFault(
  { leader }: EtcdNetwork,
  name: string,
  harm: (member: EtcdMember) => Promise<void>,
  mend: (member: EtcdMember) => Promise<void>,
): Fault {
  return async (recording) => {
    const member = await leader()
    await measured(name, async () => {
      await harm(member)
      await progress(recording, DURING, `writes during: ${name}`)
    })(recording)
    await mend(member)
  }
}

function faultsOf(etcd: EtcdNetwork, servers: Product[], args: readonly string[]): Record<string, Fault> {
  const resolved = async (act: () => void) => act()
  const leader = (name: string, harm: typeof etcd.heal, mend: typeof etcd.heal) => leaderFault(etcd, name, harm, mend)
  return {
    kill: leader(
      KILL,
      (member) => member.crash(),
      (member) => member.restart(),
    ),
    pause: leader(
      'etcd leader paused',
      (member) => resolved(member.freeze),
      (member) => resolved(member.thaw),
    ),
    part: leader('etcd leader cut off from its peers', etcd.partFromPeers, etcd.heal),
    isolate: leader('etcd leader cut off from all', etcd.partFromAll, etcd.heal),
    'kill-server': measured('one server killed', (recording) => killServer(recording, servers, args)),
    'pause-server': measured('one server paused', () => pauseServer(servers)),
  }
}

async function killServer(recording: Recording, servers: Product[], args: readonly string[]): Promise<void> {
  const at = kills++ % servers.length
  const one = servers[at] as Product
  await one.admin.close()
  await one.process.crash()
  await progress(recording, DURING, 'writes at the other server')
  const { host } = new URL(one.endpoints.api ?? '')
  servers[at] = await startProduct([...args, '--listen', host], { dataDir: one.dataDir })
}

async function pauseServer(servers: readonly Product[]): Promise<void> {
  const { pid } = (servers[1] as Product).process
  process.kill(pid, 'SIGSTOP')
  await delay(SERVER_PAUSE_MS)
  process.kill(pid, 'SIGCONT')
}

async function main([operations = '', rounds = '', ...names]: readonly string[]): Promise<void> {
  await using etcd = await startEtcdNetwork(3)
  const args = ['server', '--store', 'etcd', '--etcd-endpoints', etcd.members.map(({ url }) => url).join(',')]
  const servers = await Promise.all([startProduct(args), startProduct(args)])
  const known = faultsOf(etcd, servers, args)
  const once = names.map((name) => known[name] as Fault)
  const faults = Array.from({ length: Number(rounds) }, () => once).flat()
  const targets = servers.map(({ kubeconfig }) => targetOf(kubeconfig))
  try {
    console.log(await runUnderFaults({ targets, clients: 8, operations: Number(operations), seed: 2, faults }))
    for (const [name, all] of gaps)
      console.log(`longest time without an acknowledged write, ${name}: ${all.join(' ')} ms`)
  } finally {
    for (const server of servers) await server.stop()
  }
}

await main(process.argv.slice(2))
process.exit(0) // what holds the networks goes with the namespace of the processes
