import type { Ask, Toleration } from '../ask.ts'
import type { Taint } from '../taint-times.ts'
import type { Check, Host, Preference, Rule, World } from './rule.ts'

type Effect = Taint['effect']

/** Kubernetes' meaning: no key tolerates every key, no effect every effect; Equal (the default) compares values. */
function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false
  if (key === undefined || key === '') return operator === 'Exists'
  return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''))
}

function untolerated({ tolerations }: Ask, { machine }: Host, effects: readonly Effect[]): Taint[] {
  return (machine.spec?.taints ?? []).filter(
    (taint) => effects.includes(taint.effect) && !tolerations.some((each) => tolerates(each, taint)),
  )
}

function textOf({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ''}:${effect}`
}

function keepsAway(ask: Ask, effect: Effect, isOver: (host: Host, taint: Taint) => boolean = () => false): Check {
  const unbearable = (host: Host): Taint | undefined =>
    untolerated(ask, host, [effect])[0] ??
    host.machine.spec?.taints?.find((taint) => taint.effect === effect && isOver(host, taint))
  return {
    refuses: (host) => host.machine.spec?.taints !== undefined && unbearable(host) !== undefined,
    because: (host) => {
      const taint = unbearable(host)
      const text = taint ? textOf(taint) : effect
      if (!taint || untolerated(ask, host, [effect]).length > 0)
        return { reason: `tainted ${text}`, fix: `tolerate ${text} in spec.placement.tolerations` }
      const reason = `tainted ${text} for longer than the ${limitOf(ask, taint)} s that it tolerates`
      return { reason, fix: `raise tolerationSeconds, or take ${text} off ${host.name}` }
    },
  }
}

/** As in Kubernetes the shortest counts, of those that say one; of none that does: for ever. */
function limitOf({ tolerations }: Ask, taint: Taint): number {
  let least = Number.POSITIVE_INFINITY
  for (const each of tolerations)
    if (each.tolerationSeconds !== undefined && tolerates(each, taint)) least = Math.min(least, each.tolerationSeconds)
  return least
}

/** Keeps away what comes; what is there stays. */
export const noSchedule: Rule = {
  name: 'noSchedule',
  fixed: true,
  keeps: false,
  check: (ask) => keepsAway(ask, 'NoSchedule'),
}

/**
 * What is there has to go as well; what tolerates the taint for some seconds only, when they have passed since it was
 * first seen. From then on it does not come either, or it would be moved to and fro.
 */
export const noExecute: Rule = {
  name: 'noExecute',
  fixed: true,
  keeps: true,
  check: (ask, world) =>
    keepsAway(
      ask,
      'NoExecute',
      ask.tolerations.some(({ tolerationSeconds }) => tolerationSeconds !== undefined) ? isOver(ask, world) : undefined,
    ),
}

function isOver(ask: Ask, world: World) {
  return (host: Host, taint: Taint): boolean => world.taintedForMs(host, taint) >= limitOf(ask, taint) * 1000
}

export const preferNoSchedule: Preference = {
  name: 'preferNoSchedule',
  fixed: true,
  cost: (ask, { hosts }) =>
    hosts.some((host) => untolerated(ask, host, ['PreferNoSchedule']).length > 0)
      ? (host) => untolerated(ask, host, ['PreferNoSchedule']).length
      : undefined,
}
