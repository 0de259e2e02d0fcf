/**
 * etcd members that each have a network of their own, joined by a bridge, so that they can really be cut off. All of it
 * lies in the network namespace of the calling process, which must be its own (`unshare --net`): it goes with it.
 */
import { readlinkSync } from 'node:fs'
import { type EtcdMember, type EtcdPlace, startEtcdCluster } from './etcd.ts'
import { type RunningProcess, runProcess, startProcess } from './process.ts'
import { until } from './until.ts'

export interface EtcdNetwork extends AsyncDisposable {
  readonly members: readonly EtcdMember[]
  /** The member that leads now; waits until there is one. */
  leader(): Promise<EtcdMember>
  /** Drops what goes between the member and the other members, in both directions; clients still reach it. */
  partFromPeers(member: EtcdMember): Promise<void>
  /** The same, and clients do not reach it either. */
  partFromAll(member: EtcdMember): Promise<void>
  heal(member: EtcdMember): Promise<void>
}

/** As the servers' own supervised etcd: a leader is missed after one second. */
const ELECTION = ['--heartbeat-interval', '100', '--election-timeout', '1000']
const BRIDGE = 'etcd'
const OWN_ADDRESS = '10.99.0.1'

async function must(argv: readonly string[]): Promise<void> {
  const { code, stderr } = await runProcess(argv)
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
}

const inside = (holder: RunningProcess) => ['nsenter', '--target', String(holder.pid), '--net', '--']

/** A process that does nothing but keep a network namespace. */
async function holdNetwork(): Promise<RunningProcess> {
  const holder = await startProcess(['unshare', '--net', '--', 'sleep', 'infinity'])
  const netOf = (pid: number | string) => readlinkSync(`/proc/${pid}/ns/net`)
  await until(() => netOf(holder.pid) !== netOf('self'), { what: 'a network namespace' })
  return holder
}

async function plug(holder: RunningProcess, number: number, address: string): Promise<void> {
  const [near, far] = [`etcd${number}`, 'eth0']
  const peer = ['peer', 'name', far, 'netns', String(holder.pid)]
  await must(['ip', 'link', 'add', near, 'type', 'veth', ...peer])
  await must(['ip', 'link', 'set', near, 'master', BRIDGE, 'up'])
  await must([...inside(holder), 'ip', 'address', 'add', `${address}/24`, 'dev', far])
  for (const link of ['lo', far]) await must([...inside(holder), 'ip', 'link', 'set', link, 'up'])
}

async function bridge(): Promise<void> {
  await must(['ip', 'link', 'set', 'lo', 'up'])
  await must(['ip', 'link', 'add', BRIDGE, 'type', 'bridge'])
  await must(['ip', 'address', 'add', `${OWN_ADDRESS}/24`, 'dev', BRIDGE])
  await must(['ip', 'link', 'set', BRIDGE, 'up'])
}

async function placeOf(number: number): Promise<EtcdPlace> {
  const holder = await holdNetwork()
  const address = `10.99.0.${10 + number}`
  await plug(holder, number, address)
  return { address, before: inside(holder) }
}

async function drop({ place }: EtcdMember, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    await must([...place.before, 'iptables', '-w', '-A', 'INPUT', '-s', address, '-j', 'DROP'])
    await must([...place.before, 'iptables', '-w', '-A', 'OUTPUT', '-d', address, '-j', 'DROP'])
  }
}

interface Status {
  readonly Status: { readonly leader: number; readonly header: { readonly member_id: number } }
}

async function isLeader(member: EtcdMember): Promise<boolean> {
  const text = await member.ctl('endpoint', 'status', '-w', 'json', '--command-timeout', '1s').catch(() => '[]')
  const [status] = JSON.parse(text) as [Status | undefined]
  return status !== undefined && status.Status.leader === status.Status.header.member_id
}

export async function startEtcdNetwork(size: number): Promise<EtcdNetwork> {
  await bridge()
  const places = await Promise.all(Array.from({ length: size }, (_, number) => placeOf(number)))
  const members = await startEtcdCluster(size, { places, args: ELECTION })
  const othersThan = (member: EtcdMember) =>
    places.map(({ address }) => address).filter((a) => a !== member.place.address)
  return {
    members,
    async leader() {
      const find = async () => {
        const leads = await Promise.all(members.map(isLeader))
        return members.find((_, i) => leads[i])
      }
      return until(find, { what: 'a leader', timeoutMs: 15_000 })
    },
    partFromPeers: (member) => drop(member, othersThan(member)),
    partFromAll: (member) => drop(member, [...othersThan(member), OWN_ADDRESS]),
    heal: (member) => must([...member.place.before, 'iptables', '-w', '-F']),
    async [Symbol.asyncDispose]() {
      for (const member of members) await member[Symbol.asyncDispose]()
    },
  }
}
