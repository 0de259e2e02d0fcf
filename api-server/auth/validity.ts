import type { X509Certificate } from 'node:crypto'

const DAY_MS = 86_400_000
const CLOCK_SKEW_MS = 5 * 60_000 // a machine whose clock is a little behind must not call a new certificate "not yet valid"

/** From a little before now until `days` from now. */
export function validity(days: number, nowMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(nowMs - CLOCK_SKEW_MS), notAfter: new Date(nowMs + days * DAY_MS) }
}

/** True when the certificate ends within `days`, or its time has not come (the clock was set back). */
export function expiresWithin(certificate: X509Certificate, days: number, nowMs: number): boolean {
  return Date.parse(certificate.validTo) - nowMs < days * DAY_MS || Date.parse(certificate.validFrom) > nowMs
}
