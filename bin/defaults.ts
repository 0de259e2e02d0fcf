/** Defaults of the command's contract (docs/guide.md, "Configuration"): flag > environment FLOTILLA_* > default. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Option } from 'commander'
import { type LegacyDoorFlags, legacyDoorOptions } from './legacy-flags.ts'

const isRoot = process.getuid?.() === 0

export const DEFAULT_DATA_DIR = isRoot ? '/var/lib/flotilla' : join(homedir(), '.local/share/flotilla')

export const dataDirOption = () =>
  new Option('--data-dir <dir>', 'where everything is kept').env('FLOTILLA_DATA_DIR').default(DEFAULT_DATA_DIR)

export const kubeconfigOption = () =>
  new Option('--kubeconfig <file>', 'credentials and address of the API server').env('FLOTILLA_KUBECONFIG')

export const logLevelOption = () =>
  new Option('--log-level <level>', 'how much the log on stderr says')
    .env('FLOTILLA_LOG_LEVEL')
    .choices(['debug', 'info', 'warn', 'error', 'silent'])
    .default('warn')

const DEFAULT_LEGACY_LISTEN = '127.0.0.1:4001'
const DEFAULT_FLEET_LISTEN = '127.0.0.1:49153'

/** What was asked for, or the default, which the server does without where it is taken. */
export function legacyListen(flags: ListenFlags): string | { readonly listen: string; readonly isDefault: true } {
  return flags.legacyListen ?? { listen: DEFAULT_LEGACY_LISTEN, isDefault: true }
}

/** As `legacyListen`. */
export function fleetListen(flags: ListenFlags): string | { readonly listen: string; readonly isDefault: true } {
  return flags.fleetListen ?? { listen: DEFAULT_FLEET_LISTEN, isDefault: true }
}

/** Where the doors listen; the legacy ones are named here so that scripts written for them are understood. */
export const listenOptions = () => [
  new Option('--listen <host:port>', 'Kubernetes API (port 0: any)').env('FLOTILLA_LISTEN').default('127.0.0.1:6443'),
  new Option(
    '--legacy-listen <host:port>',
    `etcd v2 API, plain HTTP (port 0: any; default: ${DEFAULT_LEGACY_LISTEN} where it is free)`,
  ).env('FLOTILLA_LEGACY_LISTEN'),
  ...legacyDoorOptions(),
  new Option(
    '--fleet-listen <host:port>',
    `fleet v1 API, plain HTTP; unix:///PATH for a socket, several with commas (port 0: any; default: ${DEFAULT_FLEET_LISTEN} where it is free)`,
  ).env('FLOTILLA_FLEET_LISTEN'),
]

export interface ListenFlags extends LegacyDoorFlags {
  readonly listen: string
  readonly legacyListen?: string
  readonly fleetListen?: string
}
