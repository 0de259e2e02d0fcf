/**
 * A machine's power button and what supervises it: `reboot` inside is followed by a boot with a new network namespace,
 * `poweroff` and a crash are not. Verbs run one after another, so a kill never meets a half-made boot.
 */
import { type Boot, type BootSpec, boot as bootMachine, type Ending } from './boot.ts'
import { setFrozen } from './cgroups.ts'
import type { InOrder } from './in-order.ts'
import type { LabLog } from './log.ts'

export type PowerState = 'off' | 'on' | 'frozen'

export interface Power {
  /** The live boot, if the machine is on. */
  boot(): Boot | undefined
  state(): PowerState
  /** Boots it; does nothing when it is on. Resolves once PID 1 exists. */
  start(): Promise<void>
  /** Power loss. Resolves when every process of the machine is dead; does nothing when it is off. */
  kill(): Promise<void>
  setFrozen(frozen: boolean): Promise<void>
  /** Kills it for good: no `start`, and no boot after a reboot that was under way. */
  retire(): Promise<void>
  onEnding(listener: (ending: Ending) => void): () => void
}

export interface PowerDeps {
  readonly spec: BootSpec
  readonly queue: InOrder
  /** Makes the machine's network anew. */
  readonly plugIn: () => Promise<void>
  readonly log: LabLog
}

interface Life {
  boot: Boot | undefined
  frozen: boolean
  /** Killed on purpose: a reboot that was under way is not followed by a boot. */
  killing: boolean
  retired: boolean
  readonly listeners: Set<(ending: Ending) => void>
}

export function power(deps: PowerDeps): Power {
  const life: Life = { boot: undefined, frozen: false, killing: false, retired: false, listeners: new Set() }
  return {
    boot: () => life.boot,
    state: () => (!life.boot ? 'off' : life.frozen ? 'frozen' : 'on'),
    start: () => deps.queue(() => bootOnce(life, deps)),
    kill: () => deps.queue(() => killNow(life, deps)),
    setFrozen: (frozen) => deps.queue(() => freezeOrThaw(life, deps, frozen)),
    retire: () => {
      life.retired = true
      return deps.queue(() => killNow(life, deps))
    },
    onEnding: (listener) => {
      life.listeners.add(listener)
      return () => life.listeners.delete(listener)
    },
  }
}

async function bootOnce(life: Life, deps: PowerDeps): Promise<void> {
  const { machine } = deps.spec
  if (life.retired) throw new Error(`machine ${machine} is removed`)
  if (life.boot) return
  await deps.plugIn()
  const boot = await bootMachine(deps.spec)
  life.boot = boot
  deps.log.debug({ machine, pid: boot.pid(), bootId: boot.bootId }, 'machine booting')
  void boot.ended.then((ending) => afterEnding(life, deps, ending))
}

function afterEnding(life: Life, deps: PowerDeps, ending: Ending): void {
  const { machine } = deps.spec
  life.boot = undefined
  life.frozen = false
  const again = ending === 'reboot' && !life.killing && !life.retired
  deps.log[ending === 'crash' && !life.killing && !life.retired ? 'warn' : 'debug']({ machine, ending }, 'machine down')
  if (again) {
    deps
      .queue(() => bootOnce(life, deps))
      .catch((error: unknown) => deps.log.warn({ machine, error: String(error) }, 'machine did not come back'))
  }
  for (const listener of life.listeners) listener(ending)
}

async function killNow(life: Life, deps: PowerDeps): Promise<void> {
  const { boot } = life
  if (!boot) return
  life.killing = true
  try {
    if (life.frozen) await freezeOrThaw(life, deps, false) // on v1 a frozen process cannot even be killed
    boot.kill()
    await boot.ended
  } finally {
    life.killing = false
  }
}

async function freezeOrThaw(life: Life, { spec }: PowerDeps, frozen: boolean): Promise<void> {
  if (!life.boot) throw new Error(`machine ${spec.machine} is off`)
  await setFrozen(spec.hierarchies, spec.names, spec.machine, frozen)
  life.frozen = frozen
}
