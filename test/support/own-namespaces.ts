/** A program of the tests in network and process namespaces of its own: whatever it makes there goes with it. */
import { type Finished, runProcess } from './process.ts'

const UNSHARE = ['unshare', '--net', '--pid', '--fork', '--kill-child', '--mount', '--mount-proc', '--']

/** What it takes; see requirements.ts. */
export const NAMESPACES_NEED = ['root', 'namespaces', 'iproute2', 'iptables'] as const

/** Runs a TypeScript file to its end. */
export function runInOwnNamespaces(file: string, args: readonly string[], timeoutMs: number): Promise<Finished> {
  const argv = [...UNSHARE, process.execPath, '--import', 'tsx/esm', file, ...args]
  return runProcess(argv, { timeoutMs })
}
