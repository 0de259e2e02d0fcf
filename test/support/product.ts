/**
 * The product as its users start it: the built bundle in processes of its own, each with its own data folder and ports.
 * FLOTILLA_TEST_BUNDLE names another build than dist/ (a packed one, an older one).
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { type Exit, type Finished, type RunningProcess, runProcess, startProcess } from './process.ts'
import { tempDir } from './temp-dir.ts'

export const BUNDLE = process.env.FLOTILLA_TEST_BUNDLE ?? resolve(import.meta.dirname, '../../dist/flotilla.js')
export const QUICKSTART = resolve(import.meta.dirname, '../../manifests/quickstart')

export interface ProductOptions {
  /** Default: a new empty folder. */
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What starts node, such as `setpriv` and its options. */
  readonly before?: readonly string[]
  /** node and the bundle, where the process sees them elsewhere. */
  readonly program?: readonly string[]
  readonly timeoutMs?: number
}

export interface Product extends AsyncDisposable {
  readonly dataDir: string
  readonly kubeconfig: string
  /** `<data-dir>/endpoints.json`. */
  readonly endpoints: Readonly<Record<string, string>>
  /** From the start of the process to its ready line. */
  readonly readyAfterMs: number
  readonly process: RunningProcess
  /** Speaks to its API server as the admin. */
  readonly admin: ApiClient
  /** Asks it to end, as Ctrl-C does (SIGINT), and waits for that; the second call waits for the first. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
}

const PROGRAM = [process.execPath, BUNDLE]
const READY_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
const COMMAND_TIMEOUT_MS = 20_000
/** What a developer's shell may hold that would lead the command elsewhere. */
const UNSET = { KUBECONFIG: undefined, FLOTILLA_KUBECONFIG: undefined, FLOTILLA_DATA_DIR: undefined }

/** Runs `flotilla <args>` (`up …` or `server …`) on any free port until it says that it is ready. */
export async function startProduct(args: readonly string[], options: ProductOptions = {}): Promise<Product> {
  const { dataDir = tempDir(), env, before = [], program = PROGRAM, timeoutMs = READY_TIMEOUT_MS } = options
  const listen = args.includes('--listen') || env?.FLOTILLA_LISTEN ? [] : ['--listen', '127.0.0.1:0']
  const legacy =
    args.includes('--legacy-listen') || env?.FLOTILLA_LEGACY_LISTEN ? [] : ['--legacy-listen', '127.0.0.1:0']
  const fleet = args.includes('--fleet-listen') || env?.FLOTILLA_FLEET_LISTEN ? [] : ['--fleet-listen', '127.0.0.1:0']
  const folder = env?.FLOTILLA_DATA_DIR ? [] : ['--data-dir', dataDir]
  const argv = [...before, ...program, ...args, ...listen, ...legacy, ...fleet, ...folder]
  const begun = performance.now()
  const running = await startProcess(argv, { env: { ...UNSET, ...env } })
  const [, kubeconfig = ''] = await running.waitForLine(/^ready: kubeconfig (.+)$/, { timeoutMs }).catch(giveUp)
  const readyAfterMs = performance.now() - begun
  async function giveUp(error: unknown): Promise<never> {
    await running.stop('SIGINT', { timeoutMs: STOP_TIMEOUT_MS })
    throw error
  }
  const admin = connect({ kubeconfigPath: kubeconfig })
  let stopped: Promise<Exit> | undefined
  async function end(signal: NodeJS.Signals): Promise<Exit> {
    await admin.close()
    return running.stop(signal, { timeoutMs: STOP_TIMEOUT_MS })
  }
  const stop = (signal: NodeJS.Signals = 'SIGINT') => (stopped ??= end(signal))
  return {
    dataDir,
    kubeconfig,
    endpoints: JSON.parse(readFileSync(join(dataDir, 'endpoints.json'), 'utf8')),
    readyAfterMs,
    process: running,
    admin,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}

function commandEnvironment(kubeconfig: string) {
  return { ...UNSET, KUBECONFIG: kubeconfig, NO_COLOR: '1' }
}

/** Runs one `flotilla` command to its end, with the kubeconfig in its environment. */
export function flotilla(
  args: readonly string[],
  { kubeconfig, input = '' }: { readonly kubeconfig: string; readonly input?: string },
): Promise<Finished> {
  const options = { env: commandEnvironment(kubeconfig), stdin: input, timeoutMs: COMMAND_TIMEOUT_MS }
  return runProcess([...PROGRAM, ...args], options)
}

/** For commands that go on, such as `watch`; bind it with `await using`, or `stop()` it. */
export function startFlotilla(args: readonly string[], kubeconfig: string): Promise<RunningProcess> {
  return startProcess([...PROGRAM, ...args], { env: commandEnvironment(kubeconfig) })
}
