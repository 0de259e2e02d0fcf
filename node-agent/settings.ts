/** What `flotilla agent` can be told: flag, else `FLOTILLA_*` in the environment, else the default; checked once. */
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'

const Listen = z
  .string()
  .regex(/^(?:\[[0-9a-fA-F:]+\]|[^:[\]\s]+):\d{1,5}$/, 'give HOST:PORT, for example 0.0.0.0:10250')
  .transform((text) => ({
    host: text.slice(0, text.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1'),
    port: Number(text.slice(text.lastIndexOf(':') + 1)),
  }))
  .refine(({ port }) => port <= 65_535, 'a port is at most 65535')

const AgentSettings = z.strictObject({
  kubeconfig: z.string().min(1, 'name the kubeconfig of this machine'),
  name: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'must be lower case letters, digits, "-" and ".", as a host name'),
  dataDir: z.string().min(1),
  driver: z.enum(['auto', 'system', 'user', 'process']),
  listen: Listen,
  address: z.string().min(1).optional(),
  leaseDurationMs: z.coerce.number().int().min(1_000).max(600_000),
})
export type AgentSettings = Readonly<z.output<typeof AgentSettings>>

/** As given on the command line; what was not given is absent. */
export type AgentFlags = Partial<Record<keyof AgentSettings, string>>

export const AGENT_ENVIRONMENT: Readonly<Record<keyof AgentSettings, string>> = {
  kubeconfig: 'FLOTILLA_KUBECONFIG',
  name: 'FLOTILLA_NAME',
  dataDir: 'FLOTILLA_DATA_DIR',
  driver: 'FLOTILLA_DRIVER',
  listen: 'FLOTILLA_LISTEN',
  address: 'FLOTILLA_ADDRESS',
  leaseDurationMs: 'FLOTILLA_LEASE_DURATION_MS',
}

/** Throws one Error whose message names every setting that is wrong, and why. */
export function readAgentSettings(flags: AgentFlags, environment: NodeJS.ProcessEnv): AgentSettings {
  const fromEnvironment = Object.entries(AGENT_ENVIRONMENT).flatMap(([setting, variable]) => {
    const value = environment[variable]
    return value === undefined || value === '' ? [] : [[setting, value] as const]
  })
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
  const result = AgentSettings.safeParse({ ...defaults(), ...Object.fromEntries(fromEnvironment), ...given })
  if (result.success) return Object.freeze(result.data)
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`the agent's settings do not fit: ${wrong.join('; ')}`)
}

function defaults(): Record<string, string> {
  const isRoot = process.getuid?.() === 0
  return {
    kubeconfig: '',
    name: hostname().toLowerCase(),
    dataDir: isRoot ? '/var/lib/flotilla' : join(homedir(), '.local/share/flotilla'),
    driver: 'auto',
    listen: '0.0.0.0:10250',
    leaseDurationMs: '8000',
  }
}
