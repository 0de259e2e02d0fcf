/**
 * Locks between processes that the kernel releases when their holder dies, however it dies: the exclusive right to
 * listen on an abstract unix socket. (Node has no flock, and a lock file outlives a SIGKILL.)
 */
import { createServer, type Server } from 'node:net'
import { waitFor } from './wait.ts'

export interface Lock {
  release(): Promise<void>
}

/** Takes the lock, or resolves with undefined while another process (or another part of this one) holds it. */
export async function tryLock(name: string): Promise<Lock | undefined> {
  const server = createServer((socket) => socket.destroy())
  if (!(await listening(server, `\0flotilla/${name}`))) return undefined
  server.unref()
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Takes the lock as soon as it is free; rejects at the deadline. */
export function takeLock(name: string, timeoutMs: number, signal?: AbortSignal): Promise<Lock> {
  return waitFor(() => tryLock(name), { timeoutMs, what: `lock ${name}`, signal })
}

function listening(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(new Error('cannot take a lock', { cause: error })),
    )
    server.listen({ path }, () => resolve(true))
  })
}
