import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { type Callback, suite, type Test } from 'uvu'

const CACHED_KUBECTL_1_20 = resolve(import.meta.dirname, '../../node_modules/.cache/kubectl-1.20/usr/bin/kubectl')

/** What CI may lack: everything else that is missing there fails the tests that need it. */
export const ALLOWED_TO_LACK_IN_CI: readonly string[] = ['kubectl 1.32']

const PROBE_TIMEOUT_MS = 10_000

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // absent or not executable: the same answer to "can it be run?"
  }
}

/** Absolute path of a command, looked up in $PATH and the system folders that an unprivileged $PATH leaves out. */
export function commandPath(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find(executable)
}

function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }).status === 0
}

function kubectlMinor(path: string): number {
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], {
    encoding: 'utf8',
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  return Number(/"minor":\s*"(\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

/** Debian's old kubectl (1.20): the one on $PATH, or the one that `.ci/run` unpacks beside a foreign kubectl. */
export function oldKubectl(): string | undefined {
  if (existsSync(CACHED_KUBECTL_1_20)) return CACHED_KUBECTL_1_20
  const found = commandPath('kubectl')
  return found !== undefined && kubectlMinor(found) === 20 ? found : undefined
}

/** A kubectl of 1.32 or newer on $PATH. */
export function newKubectl(): string | undefined {
  const found = commandPath('kubectl')
  return found !== undefined && kubectlMinor(found) >= 32 ? found : undefined
}

function systemdInstalled(): boolean {
  return executable('/usr/lib/systemd/systemd') || executable('/lib/systemd/systemd')
}

/** In a network namespace that goes with the question. */
function bridgeFilters(): boolean {
  const chain = 'chain bridge probe forward { type filter hook forward priority 0; }'
  return succeeds('unshare', '--net', 'nft', `add table bridge probe; add ${chain}`)
}

const command = (name: string) => () => commandPath(name) !== undefined

/** Each requirement: what to ask, and what a person reads where the answer is no. */
const PROBES = {
  root: { holds: () => process.getuid?.() === 0, lacking: 'needs root' },
  systemd: { holds: systemdInstalled, lacking: 'systemd is not installed' },
  'systemd booted': { holds: () => existsSync('/run/systemd/system'), lacking: 'this host was not booted by systemd' },
  dbus: { holds: command('dbus-daemon'), lacking: 'dbus-daemon is not installed' },
  iproute2: { holds: command('ip'), lacking: 'ip (iproute2) is not installed' },
  iptables: { holds: command('iptables'), lacking: 'iptables is not installed' },
  nftables: { holds: bridgeFilters, lacking: 'nft (nftables) is not installed, or the kernel filters no bridges' },
  'loop devices': { holds: () => succeeds('losetup', '--find'), lacking: 'the kernel grants no loop devices' },
  docker: { holds: command('dockerd'), lacking: 'dockerd is not installed' },
  etcd: { holds: command('etcd'), lacking: 'etcd is not installed' },
  namespaces: {
    holds: () => succeeds('unshare', '--mount', '--net', '--pid', '--uts', '--ipc', '--fork', 'true'),
    lacking: 'the kernel grants no mount, network and PID namespaces',
  },
  kubectl: { holds: () => (newKubectl() ?? oldKubectl()) !== undefined, lacking: 'no kubectl 1.20 or >= 1.32 found' },
  'kubectl 1.20': { holds: () => oldKubectl() !== undefined, lacking: 'no kubectl 1.20 found' },
  'kubectl 1.32': { holds: () => newKubectl() !== undefined, lacking: 'no kubectl >= 1.32 on the PATH' },
} as const satisfies Record<string, { holds: () => boolean; lacking: string }>

type Probe = keyof typeof PROBES

/** `lab` is all that an isolated machine with its own systemd takes. */
const LAB: readonly Probe[] = ['root', 'systemd', 'dbus', 'iproute2', 'iptables', 'namespaces']

export type Requirement = Probe | 'lab'

const answers = new Map<Probe, string | undefined>()

function ask(probe: Probe): string | undefined {
  if (!answers.has(probe)) answers.set(probe, PROBES[probe].holds() ? undefined : PROBES[probe].lacking)
  return answers.get(probe)
}

/** Undefined when this machine has what is asked for, else the reason why not, in words. Asked once per process. */
export function requirement(name: Requirement): string | undefined {
  if (name !== 'lab') return ask(name)
  for (const probe of LAB) {
    const reason = ask(probe)
    if (reason !== undefined) return reason
  }
  return undefined
}

function maySkip(name: Requirement): boolean {
  return process.env.CI !== 'true' || ALLOWED_TO_LACK_IN_CI.includes(name)
}

/** A suite whose tests never run: they are counted as skipped and the reason is printed once, for the runner to collect. */
function skippedSuite<T>(real: Test<T>, name: string, reason: string): Test<T> {
  const skip = (title: string, test: Callback<T>) => real.skip(title, test)
  const hook = Object.assign(() => undefined, { each: () => undefined })
  const run = () => {
    console.log(`skip: ${name}: ${reason}`)
    real.run()
  }
  return Object.assign(skip, { only: skip, skip: real.skip, before: hook, after: hook, run })
}

/** In CI nothing is skipped in silence: every test of the suite fails with the reason. */
function failingSuite<T>(real: Test<T>, reason: string): Test<T> {
  const fail = (title: string) =>
    real(title, () => {
      throw new Error(`with CI=true nothing may be skipped, but: ${reason}`)
    })
  const hook = Object.assign(() => undefined, { each: () => undefined })
  return Object.assign(fail, { only: fail, skip: real.skip, before: hook, after: hook, run: real.run })
}

/**
 * A uvu suite that states what it needs. Where something is missing its tests are skipped with a printed reason, or,
 * with CI=true, fail. Set-up that needs the machine belongs in `before` hooks, which then do not run either.
 */
export function suiteOf<T = Record<string, never>>(
  name: string,
  { needs, context }: { readonly needs: readonly Requirement[]; readonly context?: T },
): Test<T> {
  const real = suite<T>(name, context)
  const missing = needs.find((need) => requirement(need) !== undefined)
  if (missing === undefined) return real
  const reason = `${missing}: ${requirement(missing)}`
  return maySkip(missing) ? skippedSuite(real, name, reason) : failingSuite(real, reason)
}
