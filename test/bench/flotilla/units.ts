/** Requests about Units, the objects that all questions here are asked with. */
import type { Target } from '../load/connection.ts'
import { NUMBER, requestText, STAMP } from '../load/template.ts'

export const UNITS = '/apis/flotilla.dev/v1/units'

/** Numbered names that sort as they count. */
export const unitName = (number: number | string) => `${PREFIX}${String(number).padStart(NUMBER.length, '0')}.service`

/** Their names begin so. */
export const PREFIX = 'bench-'

/** A create of a Unit that nobody runs (inactive), `bytes` long as it is sent. */
export function createIdle(target: Target, bytes: number): string {
  const sized = (padding: string) =>
    bodyOf({ desiredState: 'inactive', content: `[Service]\nExecStart=/bin/true\n# ${padding}\n` })
  const padding = 'x'.repeat(Math.max(0, bytes - sized('').length))
  return create(target, sized(padding))
}

/** Reads one that `createIdle` has written. */
export function getUnit(target: Target): string {
  return requestText({ method: 'GET', path: `${UNITS}/${unitName(NUMBER)}`, host: hostOf(target) })
}

export function deleteRequest(target: Target): string {
  return requestText({ method: 'DELETE', path: `${UNITS}/${unitName(NUMBER)}`, host: hostOf(target) })
}

/** Runs until it is stopped. */
export const SLEEPER = '[Unit]\nDescription=Sleeps for a benchmark\n\n[Service]\nExecStart=/bin/sleep infinity\n'

export function createSleeper(target: Target): string {
  return create(target, bodyOf({ desiredState: 'launched', content: SLEEPER }))
}

/** The same, and it carries the time of its sending in `annotation`. */
export function createStamped(target: Target, annotation: string): string {
  const annotations = { [annotation]: STAMP }
  return create(target, bodyOf({ desiredState: 'launched', content: SLEEPER }, { annotations }))
}

function bodyOf(spec: object, metadata: object = {}): string {
  const named = { name: unitName(NUMBER), ...metadata }
  return JSON.stringify({ apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: named, spec })
}

function create(target: Target, body: string): string {
  return requestText({ method: 'POST', path: UNITS, host: hostOf(target), body })
}

export function hostOf({ host, port }: Target): string {
  return `${host}:${port}`
}
