/**
 * The kubectls to test with. Two ages matter: Debian's 1.20, which knows only OpenAPI v2 and SPDY, is fetched once as
 * the distribution's own package and unpacked (never installed) under node_modules/.cache when another kubectl is on
 * PATH; a newer one is used when it is there. Each command has a home and a cache of its own, and no proxy or
 * KUBECONFIG of the developer's, so that nothing it learns about one server reaches the next test.
 */
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finished, type RunningProcess, runProcess, startProcess } from './process.ts'
import { newKubectl, oldKubectl } from './requirements.ts'
import { removeTree, tempDir } from './temp-dir.ts'

export interface KubectlOptions {
  readonly kubeconfig: string
}

export interface KubectlRunOptions extends KubectlOptions {
  /** What the command reads from its standard input. */
  readonly input?: string
  /** What `edit` starts instead of a person's editor. */
  readonly editor?: string
  /** How long it may take before it is killed and the call rejects; 30 s by default. */
  readonly timeoutMs?: number
}

/** How a command ended. */
export interface KubectlResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Kubectl {
  readonly path: string
  /** The minor release: `1.20`, or `1.32` for any newer one. */
  readonly version: '1.20' | '1.32'
  run(args: readonly string[], options: KubectlRunOptions): Promise<KubectlResult>
  /** For commands that go on, such as a watch; bind it with `await using`, or `stop()` it. */
  start(args: readonly string[], options: KubectlOptions): Promise<RunningProcess>
}

const PACKAGE = 'kubernetes-client'
const CACHE = join(import.meta.dirname, '../../node_modules/.cache')
const UNPACKED = join(CACHE, 'kubectl-1.20')
const RUN_TIMEOUT_MS = 30_000
const FETCH_TIMEOUT_MS = 120_000
/** What a developer's shell may hold that would lead kubectl elsewhere. */
const UNSET = ['KUBECONFIG', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']

/**
 * Every kubectl there is, oldest first: always a 1.20, and a newer one where PATH has it. Rejects when the 1.20 can
 * neither be found nor fetched, saying how to come by it: a test never passes for want of a kubectl.
 */
export async function kubectls(): Promise<readonly Kubectl[]> {
  if (oldKubectl() === undefined) await fetchOldKubectl()
  const [old, recent] = [oldKubectl(), newKubectl()]
  if (old === undefined) throw new Error(`the package ${PACKAGE} of this distribution holds no kubectl 1.20`)
  if (recent === undefined) console.log('kubectl: no newer one on PATH, testing with 1.20 alone')
  return [kubectlAt(old, '1.20'), ...(recent === undefined ? [] : [kubectlAt(recent, '1.32')])]
}

function kubectlAt(path: string, version: Kubectl['version']): Kubectl {
  return {
    path,
    version,
    async run(args, { kubeconfig, input, editor, timeoutMs = RUN_TIMEOUT_MS }) {
      const home = tempDir()
      const env = { ...environment(home), KUBE_EDITOR: editor }
      const options = { env, timeoutMs, ...(input !== undefined && { stdin: input }) }
      const finished = await runProcess(argv(path, home, kubeconfig, args), options)
      removeTree(home)
      return resultOf(finished, args)
    },
    start(args, { kubeconfig }) {
      const home = tempDir() // goes with the test process
      return startProcess(argv(path, home, kubeconfig, args), { env: environment(home) })
    },
  }
}

function argv(path: string, home: string, kubeconfig: string, args: readonly string[]): string[] {
  return [path, '--kubeconfig', kubeconfig, '--cache-dir', join(home, 'cache'), ...args]
}

function environment(home: string): Record<string, string | undefined> {
  return { ...Object.fromEntries(UNSET.map((name) => [name, undefined])), HOME: home }
}

function resultOf({ code, signal, stdout, stderr }: Finished, args: readonly string[]): KubectlResult {
  if (code === null) throw new Error(`kubectl ${args.join(' ')} was ended by ${signal}: ${stderr}`)
  return { code, stdout, stderr }
}

/** Unpacks beside and renames, so that test files running at once never see half a package. */
async function fetchOldKubectl(): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'kubectl-'))
  try {
    await must(['apt-get', 'download', PACKAGE], folder)
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'))
    if (archive === undefined) throw new Error('apt-get left no package')
    await must(['dpkg', '-x', archive, 'tree'], folder)
    await rename(join(folder, 'tree'), UNPACKED).catch((error: unknown) => acceptIfThere(error))
  } catch (cause) {
    throw new Error(`no kubectl 1.20: install it, or let "apt-get download ${PACKAGE}" work`, { cause })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Another test file may have been first; then its package is as good as ours. */
async function acceptIfThere(error: unknown): Promise<void> {
  await access(join(UNPACKED, 'usr/bin/kubectl')).catch(() => Promise.reject(error))
}

async function must(command: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await runProcess(command, { cwd, timeoutMs: FETCH_TIMEOUT_MS })
  if (code !== 0) throw new Error(`${command.join(' ')} exited with ${code}: ${stderr}`)
}
