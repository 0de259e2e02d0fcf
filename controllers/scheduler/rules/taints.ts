import type { Machine } from '../../../crds/machine.ts'
import type { Ask, Toleration } from '../ask.ts'
import type { Check, Host, Preference, Rule } from './rule.ts'

type Taint = NonNullable<NonNullable<Machine['spec']>['taints']>[number]
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

function keepsAway(ask: Ask, effect: Effect): Check {
  return {
    refuses: (host) => host.machine.spec?.taints !== undefined && untolerated(ask, host, [effect]).length > 0,
    because: (host) => {
      const [taint] = untolerated(ask, host, [effect])
      const text = taint ? textOf(taint) : effect
      return { reason: `tainted ${text}`, fix: `tolerate ${text} in spec.placement.tolerations` }
    },
  }
}

/** Keeps away what comes; what is there stays. */
export const noSchedule: Rule = {
  name: 'noSchedule',
  fixed: true,
  keeps: false,
  check: (ask) => keepsAway(ask, 'NoSchedule'),
}

/** What is there has to go as well. */
export const noExecute: Rule = {
  name: 'noExecute',
  fixed: true,
  keeps: true,
  check: (ask) => keepsAway(ask, 'NoExecute'),
}

export const preferNoSchedule: Preference = {
  name: 'preferNoSchedule',
  fixed: true,
  cost: (ask, { hosts }) =>
    hosts.some((host) => untolerated(ask, host, ['PreferNoSchedule']).length > 0)
      ? (host) => untolerated(ask, host, ['PreferNoSchedule']).length
      : undefined,
}
