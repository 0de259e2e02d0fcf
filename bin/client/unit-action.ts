/** Asks the machine of a unit to do something to it by hand (`units/NAME/action`). */
import type { ActionAnswer } from '../../node-agent/serve/action.ts'
import type { Api } from './api.ts'
import { UNITS } from './flotilla-types.ts'
import { objectPath } from './resources.ts'

/** A little longer than the machine itself waits for a unit to stop and start. */
const TIMEOUT_MS = 220_000

/** Resolves when it is done. Rejects with ApiError, or the signal's reason; a refusal of systemd's is in the answer. */
export async function actOn(
  api: Api,
  unit: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ActionAnswer> {
  const path = objectPath(UNITS, unit)
  const { value } = await api.request('POST', `${path}/action?${new URLSearchParams(query)}`, {
    timeoutMs: TIMEOUT_MS,
    signal,
  })
  return value as ActionAnswer
}
