/** The accounts of a machine: the system ones of this box (its /usr belongs to them), no people and no passwords. */

export interface Accounts {
  readonly passwd: string
  readonly group: string
  readonly shadow: string
  readonly gshadow: string
}

const FIRST_HUMAN_ID = 1000
const NOBODY_ID = 65534

/** From the texts of /etc/passwd and /etc/group. Every account is locked; root is entered by namespace, not by login. */
export function systemAccounts(passwd: string, group: string): Accounts {
  const users = records(passwd).filter(([, , uid]) => isSystem(uid))
  const names = new Set(users.map(([name]) => name))
  const groups = records(group).filter(([, , gid]) => isSystem(gid))
  const members = (list = ''): string =>
    list
      .split(',')
      .filter((name) => names.has(name))
      .join(',')
  return {
    passwd: text(users.map(([name = '', , ...rest]) => [name, 'x', ...rest])),
    group: text(groups.map(([name = '', , gid = '', list]) => [name, 'x', gid, members(list)])),
    shadow: text(users.map(([name = '']) => [name, '*', '19000', '0', '99999', '7', '', '', ''])),
    gshadow: text(groups.map(([name = '', , , list]) => [name, '*', '', members(list)])),
  }
}

function records(file: string): string[][] {
  return file
    .split('\n')
    .filter((line) => /^[^#+-][^:]*:/.test(line))
    .map((line) => line.split(':'))
}

function isSystem(id: string | undefined): boolean {
  return id !== undefined && /^\d+$/.test(id) && (Number(id) < FIRST_HUMAN_ID || Number(id) === NOBODY_ID)
}

function text(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join(':')}\n`).join('')
}
