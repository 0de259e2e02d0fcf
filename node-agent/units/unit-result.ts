/** A unit's Result and exit status in words, the same for every driver. */

/** systemd's names for the statuses by which it says that it could not even run the program. */
const EXIT_NAMES: Readonly<Record<number, string>> = {
  200: 'CHDIR',
  202: 'FDS',
  203: 'EXEC',
  205: 'LIMITS',
  206: 'OOM_ADJUST',
  208: 'STDIN',
  209: 'STDOUT',
  214: 'SETSCHEDULER',
  216: 'GROUP',
  217: 'USER',
  218: 'CAPABILITIES',
  219: 'CGROUP',
  222: 'STDERR',
  226: 'NAMESPACE',
  227: 'NO_NEW_PRIVILEGES',
  228: 'SECCOMP',
  233: 'RUNTIME_DIRECTORY',
  238: 'STATE_DIRECTORY',
  239: 'CACHE_DIRECTORY',
  240: 'LOGS_DIRECTORY',
  241: 'CONFIGURATION_DIRECTORY',
  243: 'CREDENTIALS',
}

export function describeResult(result: string, exitStatus: number): string {
  const exitName = EXIT_NAMES[exitStatus]
  if (result === 'exit-code' && exitStatus !== 0)
    return `exit-code: status ${exitStatus}${exitName ? `/${exitName}` : ''}`
  if (result === 'signal' || result === 'core-dump') return `${result}: killed by signal ${exitStatus}`
  return result
}

const JOB_RESULTS: Readonly<Record<string, string>> = {
  unsupported: 'units of this type are not supported on this machine',
  dependency: 'a unit that it needs could not be started',
  timeout: 'its start took too long',
  assert: 'an assertion of it is not met',
}

/** How systemd's job failed of a unit that never got as far as to have a result. */
export function describeJobResult(jobResult: string): string {
  return `not started: ${JOB_RESULTS[jobResult] ?? jobResult}`
}
