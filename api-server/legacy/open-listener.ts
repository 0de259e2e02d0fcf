/** Opening a listener for an old API: what is to be told to people when its address is not to be had. */

export interface WantedListener<T> {
  /** `etcd v2`, for sentences. */
  readonly api: string
  /** `--legacy-listen HOST:PORT`: what moves it elsewhere. */
  readonly flag: string
  /** The address, for sentences. */
  readonly where: string
  /** Nobody asked for this very address: where it is taken, the server does without, and says so. */
  readonly isDefault: boolean
  open(): Promise<T>
}

/** A sentence instead of the listener where the server does without; rejects with one where the address was asked for. */
export async function openListener<T extends object>(wanted: WantedListener<T>): Promise<T | string> {
  const { api, flag, where, isDefault, open } = wanted
  try {
    return await open()
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (isTaken && isDefault) return `the ${api} API is not on ${where}, which is taken; ${flag} puts it elsewhere`
    const why = isTaken ? 'the address is taken' : (cause as Error).message
    throw new Error(`the ${api} API cannot listen on ${where}: ${why}; give another ${flag}`, { cause })
  }
}
