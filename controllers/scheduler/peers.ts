/** Where those are that somebody names in MachineOf; a name on a machine may be that of several objects. */
import type { Ask } from './ask.ts'
import type { Host } from './rules/rule.ts'

export interface Peers {
  /** Before it is placed. */
  add(follower: Ask): void
  remove(follower: Ask): void
  /** `isTrial`: it will be undone. */
  change(host: Host, ask: Ask, by: 1 | -1, isTrial?: boolean): void
  hostsOf(name: string): ReadonlySet<Host>
  /** Who names it, or names it by its name on the machine. */
  followersOf(ask: Ask): Iterable<Ask>
  /** Grows with each change of where it is. */
  version(name: string): number
}

interface Book {
  readonly followers: Set<Ask>
  readonly counts: Map<Host, number>
  readonly hosts: Set<Host>
  version: number
}

const NOWHERE: ReadonlySet<Host> = new Set()
const NOBODY: ReadonlySet<Ask> = new Set()

export function createPeers(known: (name: string) => Iterable<Ask>, hostOf: (ask: Ask) => Host | undefined): Peers {
  const books = new Map<string, Book>()
  let changes = 0
  const change = (name: string, host: Host, by: 1 | -1, isTrial: boolean): void => {
    const book = books.get(name)
    if (!book) return
    if (!isTrial) book.version = ++changes
    changeBook(book, host, by)
  }
  const open = (name: string): Book => {
    // Never a version that a book of this name had before.
    const book: Book = { followers: new Set(), counts: new Map(), hosts: new Set(), version: ++changes }
    for (const ask of known(name)) {
      const host = hostOf(ask)
      if (host) changeBook(book, host, 1)
    }
    books.set(name, book)
    return book
  }
  return {
    add: (follower) => {
      for (const name of follower.peers) (books.get(name) ?? open(name)).followers.add(follower)
    },
    remove: (follower) => {
      for (const name of follower.peers) {
        const book = books.get(name)
        book?.followers.delete(follower)
        if (book?.followers.size === 0) books.delete(name)
      }
    },
    change: (host, { name, alias }, by, isTrial = false) => {
      if (books.size === 0) return
      change(name, host, by, isTrial)
      if (alias !== name) change(alias, host, by, isTrial)
    },
    hostsOf: (name) => books.get(name)?.hosts ?? NOWHERE,
    followersOf: ({ name, alias }) => {
      const [own, others] = [books.get(name)?.followers ?? NOBODY, books.get(alias)?.followers ?? NOBODY]
      return alias === name || others.size === 0 ? own : new Set([...own, ...others])
    },
    version: (name) => books.get(name)?.version ?? 0,
  }
}

function changeBook(book: Book, host: Host, by: 1 | -1): void {
  const count = (book.counts.get(host) ?? 0) + by
  if (count > 0) {
    book.counts.set(host, count)
    book.hosts.add(host)
  } else {
    book.counts.delete(host)
    book.hosts.delete(host)
  }
}
