/** Answers to `wait=true`: the head at once, then one event, or with `stream` one after another. */
import type { ServerResponse } from 'node:http'
import type { Entry } from './event.ts'
import { type Failure, isFailure } from './failure.ts'
import type { History } from './history.ts'
import type { Replica } from './replica.ts'
import type { Watcher } from './watcher-hub.ts'

export interface Watched {
  readonly key: string
  readonly recursive: boolean
  readonly stream: boolean
  readonly since: number
}

export interface Watching {
  start(response: ServerResponse, watched: Watched, refuse: (refused: Failure) => void): void
}

/** As in etcd: who is this many events behind is cut, and so is who leaves this many bytes unread. */
const MAX_BEHIND_EVENTS = 100
const MAX_BEHIND_BYTES = 1024 * 1024

export function createWatching(replica: Replica, history: History, headers: (index: number) => string[]): Watching {
  return {
    start: (response, watched, refuse) => {
      const { key, recursive, since } = watched
      if (since > replica.head.index) {
        begin(response, headers(replica.head.index))
        wait(replica, response, watched)
        return
      }
      history.search({ key, recursive, index: since }, (found) => {
        if (response.destroyed) return
        if (found !== undefined && isFailure(found)) {
          refuse(found)
          return
        }
        begin(response, headers(replica.head.index))
        if (found === undefined) wait(replica, response, watched)
        else if (watched.stream)
          response.write(found.body, 'latin1') // etcd forgets such a watcher after one event
        else response.end(found.body, 'latin1')
      })
    },
  }
}

/** Clients with a limit for the head must have it now. */
function begin(response: ServerResponse, headers: readonly string[]): void {
  response.writeHead(200, [...headers])
  response.flushHeaders()
}

function wait({ hub }: Replica, response: ServerResponse, watched: Watched): void {
  const watcher: Watcher = { ...watched, deliver: deliverer(response, watched.stream), end: () => response.end() }
  hub.add(watcher)
  response.once('close', () => hub.remove(watcher))
}

function deliverer(response: ServerResponse, isStream: boolean): (entry: Entry) => void {
  if (!isStream) return ({ body }) => void response.end(body, 'latin1')
  let behind = 0
  response.on('drain', () => {
    behind = 0
  })
  return ({ body }) => {
    if (response.writableEnded) return
    behind = response.write(body, 'latin1') ? 0 : behind + 1
    if (behind > MAX_BEHIND_EVENTS || response.writableLength > MAX_BEHIND_BYTES) response.destroy()
  }
}
