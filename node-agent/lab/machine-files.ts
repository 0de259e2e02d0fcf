/** What a caller gives a machine before it boots: files, unit files, and folders or files of this box bound read-only. */
import { access, mkdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'

export interface MachineFile {
  /** Absolute path inside the machine, below /etc, /var or /root (nothing else is kept over a boot). */
  readonly path: string
  readonly content: string | Uint8Array
  /** Permission bits; 0644 when absent. */
  readonly mode?: number
}

export interface MachineUnit {
  /** File name below /etc/systemd/system. */
  readonly name: string
  readonly content: string
  /** Linked as its [Install] section says, or to multi-user.target where it says nothing. */
  readonly enable?: boolean
}

export interface Bind {
  /** A folder or a file of this box. */
  readonly source: string
  /** Absolute path inside the machine; made where it does not exist. */
  readonly target: string
}

const UNIT_FOLDER = '/etc/systemd/system'

/** Writes the files below `dir`; throws before the first write when a path is not one a machine keeps. */
export async function putFiles(dir: string, files: readonly MachineFile[]): Promise<void> {
  const places = files.map(({ path }) => placeOf(path))
  for (const [index, file] of files.entries()) {
    const place = join(dir, places[index] ?? '')
    await mkdir(dirname(place), { recursive: true })
    await checkInside(dir, place)
    await put(place, file.content, file.mode ?? 0o644)
  }
}

export async function putUnits(dir: string, units: readonly MachineUnit[]): Promise<void> {
  await putFiles(
    dir,
    units.map(({ name, content }) => ({ path: `${UNIT_FOLDER}/${checkUnitName(name)}`, content })),
  )
  for (const unit of units.filter(({ enable }) => enable)) {
    for (const folder of installFolders(unit.content)) await link(dir, unit.name, folder)
  }
}

/** Rejects when a source is not there: inside, the machine would only fail to boot. */
export async function checkSources(binds: readonly Bind[]): Promise<void> {
  for (const { source } of binds) {
    await access(source).catch((cause) => {
      throw new Error(`there is no '${source}' to bind`, { cause })
    })
  }
}

/** The script's input: two lines each. Throws on paths it could not read back, or could bind over a machine's base. */
export function bindLines(binds: readonly Bind[]): string {
  for (const { source, target } of binds) {
    for (const path of [source, target]) {
      if (!path.startsWith('/') || normalize(path) !== path || path.includes('\n'))
        throw new Error(`cannot bind '${source}' to '${target}': paths must be absolute and plain`)
    }
    if (/^\/(usr|proc|sys|dev|bin|sbin|lib|lib64)?(\/|$)/.test(target))
      throw new Error(`cannot bind to '${target}': that part of a machine is not free`)
  }
  return binds.map(({ source, target }) => `${source}\n${target}\n`).join('')
}

/** Replaces a file as a whole: a boot that comes meanwhile reads the old or the new text. */
export async function put(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.flotilla-new`
  await rm(fresh, { force: true })
  await writeFile(fresh, content, { mode })
  await rename(fresh, path)
}

/** `web.target.wants` and the like, from the WantedBy= and RequiredBy= lines of [Install]. */
export function installFolders(content: string): string[] {
  const install = /^\[Install\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(content)?.[1] ?? ''
  const folders = [...install.matchAll(/^(Wanted|Required)By=(.*)$/gm)].flatMap(([, verb, targets = '']) =>
    targets
      .split(/\s+/)
      .filter(Boolean)
      .map((target) => `${target}.${verb === 'Wanted' ? 'wants' : 'requires'}`),
  )
  return folders.length > 0 ? folders : ['multi-user.target.wants']
}

function placeOf(path: string): string {
  if (!/^\/(etc|var|root)\/./.test(path) || normalize(path) !== path || path.endsWith('/'))
    throw new Error(`'${path}' is not a plain path below /etc, /var or /root, which is what a machine keeps`)
  return path
}

/** The machine may have put a link there (`/var/run` is one) that leads out of its folders on this box. */
async function checkInside(dir: string, place: string): Promise<void> {
  const [folder, root] = await Promise.all([realpath(dirname(place)), realpath(dir)])
  if (!`${folder}/`.startsWith(`${root}/`)) throw new Error(`'${place}' leads out of the machine to ${folder}`)
}

function checkUnitName(name: string): string {
  if (!/^[\w:.@\\-]+\.[a-z]+$/.test(name)) throw new Error(`'${name}' is not a unit file's name`)
  return name
}

async function link(dir: string, unit: string, folder: string): Promise<void> {
  const path = join(dir, UNIT_FOLDER, checkUnitName(folder), unit)
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  await symlink(`${UNIT_FOLDER}/${unit}`, path)
}
