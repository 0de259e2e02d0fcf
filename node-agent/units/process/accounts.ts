/** User= and Group=, looked up in /etc/passwd and /etc/group. */
import { readFile } from 'node:fs/promises'
import { LaunchError } from './launcher.ts'
import type { Host } from './specifiers.ts'

const GROUP = 216
const USER = 217

export interface Account {
  /** Undefined: as the agent itself. */
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly home: string
  /** HOME, USER, LOGNAME, SHELL where systemd sets them. */
  readonly variables: readonly (readonly [string, string])[]
}

/** Rejects with LaunchError when there is no such user or group, or the agent may not become it. */
export async function findAccount(user: string | undefined, group: string | undefined, host: Host): Promise<Account> {
  const gid = group === undefined ? undefined : Number((await lookUp('/etc/group', group, GROUP))[2])
  if (user === undefined) return { ...(await ownAccount(host)), gid: allowed(gid, host, GROUP) }
  const [name = '', , uid, primary, , home = '/', shell = '/bin/sh'] = await lookUp('/etc/passwd', user, USER)
  return {
    uid: allowed(Number(uid), host, USER),
    gid: allowed(gid ?? Number(primary), host, GROUP),
    home,
    variables: [
      ['HOME', home],
      ['USER', name],
      ['LOGNAME', name],
      ['SHELL', shell],
    ],
  }
}

/** The system manager gives its services no HOME, the user's does. */
async function ownAccount({ uid, home, userName, runtimeDir }: Host): Promise<Account> {
  const variables = [
    ['HOME', home],
    ['USER', userName],
    ['LOGNAME', userName],
    ['XDG_RUNTIME_DIR', runtimeDir],
  ] as const
  return { uid: undefined, gid: undefined, home, variables: uid === 0 ? [] : variables }
}

async function lookUp(file: string, nameOrId: string, status: number): Promise<readonly string[]> {
  const rows = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'))
  const found = rows.find(([name, , id]) => name === nameOrId || (/^\d+$/.test(nameOrId) && id === nameOrId))
  if (!found) throw new LaunchError(status, `there is no ${status === USER ? 'user' : 'group'} '${nameOrId}'`)
  return found
}

function allowed(id: number | undefined, { uid }: Host, status: number): number | undefined {
  if (id === undefined || uid === 0) return id
  if (status === USER && id === uid) return undefined
  if (status === GROUP && id === process.getgid?.()) return undefined
  throw new LaunchError(status, `changing ${status === USER ? 'user' : 'group'} needs root`)
}
