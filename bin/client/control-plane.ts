/** What a server that joins asks of one that runs. */
import * as z from 'zod'
import type { ControlPlaneCredentials } from '../../api-server/http/control-plane.ts'
import { openApi } from './api.ts'
import { describeFailure } from './failure.ts'

export const CONTROL_PLANE = '/flotilla.dev/control-plane'

const Credentials = z.object({ caCertificate: z.string(), caKey: z.string(), endpoints: z.array(z.string()).min(1) })

/** As the administrator of `kubeconfig`. Throws a sentence; never one with what was answered. */
export async function fetchCredentials(kubeconfig: string): Promise<ControlPlaneCredentials> {
  const api = openApi({ kubeconfig }, process.env)
  try {
    const { value } = await api.request('GET', `${CONTROL_PLANE}/credentials`)
    const parsed = Credentials.safeParse(value)
    if (!parsed.success) throw new Error('its answer is not that of a Flotilla server')
    return parsed.data
  } catch (cause) {
    throw new Error(`cannot join ${api.server}: ${describeFailure(cause)}`, { cause })
  } finally {
    await api.close()
  }
}
