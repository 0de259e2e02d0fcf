/** The units that make up the fence on a machine run by systemd. They live in /run: nothing starts them at boot. */
import type { FenceTimes } from './fence.ts'

/** Active while the machine's lease is good. */
export const LEASE_TARGET = 'flotilla-lease.target'
/** One of these per unit, by uid: active while the unit is claimed under this lease. */
export const GATES = 'flotilla-claim@*.target'
export const TIMERS = 'flotilla-fence@*.timer'

export function gateOf(uid: string): string {
  return `flotilla-claim@${uid}.target`
}

export function uidOfGate(name: string): string | undefined {
  return /^flotilla-claim@(.+)\.target$/.exec(name)?.[1]
}

/** A timer of one deadline; when it elapses it starts the service of the same instance. */
export function timerOf(untilUs: number): string {
  return `flotilla-fence@${untilUs}.timer`
}

/** Only a timer that is on may bring it up. */
const LEASE = `[Unit]
Description=The lease of this machine is good: exclusive units may run
RefuseManualStart=yes
`

const GATE = `[Unit]
Description=Exclusive unit %i is claimed by this machine
Requisite=${LEASE_TARGET}
PartOf=${LEASE_TARGET}
After=${LEASE_TARGET}
`

/**
 * Stopping the target stops the gates and the units, but a stop waits for whatever is ordered after the unit and must
 * stop first, which may take its own 90 s. So what is left after the grace is killed where it stands; the target's
 * reverse PartOf= are the units, whoever defined them. No default dependencies: it works during a shutdown too.
 */
function fence({ graceMs }: FenceTimes): string {
  const units = `$$(systemctl show --property=ConsistsOf --value ${LEASE_TARGET})`
  return `[Unit]
Description=The lease of this machine ran out: exclusive units are stopped
DefaultDependencies=no
Conflicts=${LEASE_TARGET}
CollectMode=inactive-or-failed

[Service]
Type=oneshot
Slice=system.slice
ExecStart=-/bin/sh -fc "sleep ${graceMs / 1_000}; exec systemctl kill --signal=KILL ${units} 2>/dev/null"
`
}

export function fenceFiles(times: FenceTimes): readonly { readonly name: string; readonly content: string }[] {
  return [
    { name: LEASE_TARGET, content: LEASE },
    { name: 'flotilla-claim@.target', content: GATE },
    { name: 'flotilla-fence@.service', content: fence(times) },
  ]
}
