/** `flotilla cat`: units as they are stored, in the form of `systemctl cat`. The machines are not asked. */
import type { Unit } from '../../crds/unit.ts'
import { UNITS } from './flotilla-types.ts'
import { asUnit } from './instances.ts'
import { readObject } from './reading.ts'
import type { Session } from './session.ts'
import { unitNameOf } from './unit-name.ts'

export async function cat({ api, out, signal }: Session, words: readonly string[]): Promise<number> {
  for (const [at, name] of words.map(unitNameOf).entries()) {
    const unit = asUnit(await readObject(api, UNITS, name, { signal }))
    await out.write(`${at > 0 ? '\n' : ''}${fileTexts(unit).join('\n')}`)
  }
  return 0
}

/** The unit file, then its drop-ins in the order in which they count; each under its name. */
export function fileTexts({ metadata, spec }: Readonly<Unit>): string[] {
  const { name } = metadata
  const file = spec.unitName ?? name
  const title = file === name ? `# ${file}` : `# ${file} (unit/${name})`
  const dropIns = [...(spec.dropIns ?? [])].sort((one, other) => (one.name < other.name ? -1 : 1))
  return [
    `${title}\n${withNewline(spec.content)}`,
    ...dropIns.map((dropIn) => `# ${file}.d/${dropIn.name}\n${withNewline(dropIn.content)}`),
  ]
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
