/** The framing of `v5.channel.k8s.io`: the first byte of every WebSocket message says what the rest is. */

export const EXEC_PROTOCOL = 'v5.channel.k8s.io'

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const

export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL]

export function frame(channel: Channel, payload: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(payload.length + 1)
  message[0] = channel
  message.set(payload, 1)
  return message
}

export function unframe(message: Buffer): { readonly channel: number; readonly payload: Buffer } {
  return { channel: message[0] ?? -1, payload: message.subarray(1) }
}

/** How a command ended, as the Kubernetes Status that clients turn into their own exit code. */
export function exitStatus(exitCode: number): Buffer {
  if (exitCode === 0) return statusFrame({ metadata: {}, status: 'Success' })
  return statusFrame({
    metadata: {},
    status: 'Failure',
    message: 'command terminated with non-zero exit code',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  })
}

/** The command could not be run at all. */
export function failureStatus(message: string): Buffer {
  return statusFrame({ metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 })
}

function statusFrame(status: object): Buffer {
  return frame(CHANNEL.status, Buffer.from(JSON.stringify(status)))
}
