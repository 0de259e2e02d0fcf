export interface Address {
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:6443`, `[::1]:6443`, `localhost:0`. Throws a sentence that shows the form. */
export function parseListen(listen: string): Address {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(listen)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || port > 65_535)
    throw new Error(`cannot listen on "${listen}": give HOST:PORT, for example 127.0.0.1:6443`)
  return { host, port }
}
