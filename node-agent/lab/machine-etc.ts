/**
 * Builds a machine's /etc: no copy of this box's, which holds its people, its secrets and its daemons. From the box comes
 * only what its /usr (shared read-only) cannot do without; the rest is said here.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemAccounts } from './accounts.ts'
import { must } from './command.ts'
import { put } from './machine-files.ts'
import { masks } from './masks.ts'

export interface Identity {
  readonly name: string
  readonly machineId: string
  readonly address: string
}

/** Parts of /etc that belong to /usr: library paths, tables of names, policy. No secrets. (Alternatives are bound.) */
const FROM_THE_BOX = [
  'bash.bashrc',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'dbus-1',
  'debian_version',
  'ethertypes',
  'gai.conf',
  'host.conf',
  'inputrc',
  'iproute2',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'login.defs',
  'mke2fs.conf',
  'os-release',
  'pam.d',
  'pki/tls/openssl.cnf',
  'protocols',
  'rpc',
  'security/access.conf',
  'security/limits.conf',
  'security/namespace.conf',
  'security/pam_env.conf',
  'services',
  'shells',
  'ssl/openssl.cnf',
]

/**
 * Where distributions keep the certificates of public authorities in one file, which is all that TLS clients need. The
 * hundreds of links beside it would be most of what a machine's creation costs.
 */
const CERTIFICATES = [
  'ssl/certs/ca-certificates.crt',
  'ssl/ca-bundle.pem',
  'ssl/cert.pem',
  'pki/tls/certs/ca-bundle.crt',
  'pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
]

const NSSWITCH = `passwd: files systemd
group: files systemd
shadow: files
gshadow: files
hosts: files dns
networks: files
protocols: files
services: files
ethers: files
rpc: files
`

const PROFILE = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
PS1='\\u@\\h:\\w\\$ '
`

/** Kept over boots and small; the kernel's messages are this box's, not the machine's. */
const JOURNALD = `[Journal]
Storage=persistent
SystemMaxUse=32M
RateLimitIntervalSec=0
ReadKMsg=no
Audit=no
`

/**
 * Builds or refreshes `<dir>/etc`. Called before every first boot of a run: what follows this box (libraries,
 * certificates, accounts, masks, addresses) is brought up to date, what the machine itself has put there stays.
 */
export async function buildEtc(dir: string, identity: Identity): Promise<void> {
  await mkdir(join(dir, 'etc'), { recursive: true })
  await copyFromTheBox(dir)
  await copyCertificates(join(dir, 'etc'))
  const texts = { ...fixedFiles(), ...identityFiles(identity), ...(await accountFiles()) }
  await Promise.all(Object.entries(texts).map(([file, text]) => put(join(dir, 'etc', file), text, modeOf(file))))
  for (const [folder, names] of await masks()) await mask(join(dir, 'etc/systemd', folder), names)
}

async function copyFromTheBox(dir: string): Promise<void> {
  const present = FROM_THE_BOX.map((name) => `etc/${name}`).filter((path) => existsSync(join('/', path)))
  await must('cp', ['-a', '--parents', '--remove-destination', '--', ...present, `${dir}/`], { cwd: '/' })
}

/** By content: some are links to places that a machine does not have. OpenSSL itself asks for ssl/cert.pem. */
async function copyCertificates(etc: string): Promise<void> {
  const present = CERTIFICATES.filter((name) => existsSync(join('/etc', name)))
  for (const name of present) await put(join(etc, name), await readFile(join('/etc', name)), 0o644)
  const [first] = present
  if (first && !existsSync(join(etc, 'ssl/cert.pem'))) await replaceLink(`/etc/${first}`, join(etc, 'ssl/cert.pem'))
}

function fixedFiles(): Record<string, string> {
  // Newer than /usr: the catalogues that systemd rebuilds after an update of /usr are the box's, and up to date.
  return {
    fstab: '',
    'resolv.conf': '# a lab machine sees its lab only\n',
    'nsswitch.conf': NSSWITCH,
    profile: PROFILE,
    'systemd/journald.conf.d/10-flotilla.conf': JOURNALD,
    '.updated': '',
    '../var/.updated': '',
  }
}

function identityFiles({ name, machineId, address }: Identity): Record<string, string> {
  return {
    hostname: `${name}\n`,
    'machine-id': `${machineId}\n`,
    hosts: `127.0.0.1 localhost\n::1 localhost\n${address} ${name}\n`,
  }
}

async function accountFiles(): Promise<Record<string, string>> {
  const [passwd, group] = await Promise.all([readFile('/etc/passwd', 'utf8'), readFile('/etc/group', 'utf8')])
  return { ...systemAccounts(passwd, group) }
}

function modeOf(file: string): number {
  return file === 'shadow' || file === 'gshadow' ? 0o600 : 0o644
}

/** Links to /dev/null; a file of that name that the machine (or its caller) has put there is left alone. */
async function mask(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const missing = names.filter((name) => !existsSync(join(folder, name)))
  await Promise.all(missing.map((name) => replaceLink('/dev/null', join(folder, name))))
}

/** Makes `path` a symbolic link to `target`, whatever it was. */
export async function replaceLink(target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  await symlink(target, path)
}
