/** How many of what counts together are where: counted only for groups that somebody asks about. */
import { type Ask, labelGroup } from './ask.ts'
import { createLeast, type Least } from './least.ts'
import type { Host } from './rules/rule.ts'

export interface Groups {
  /** Before it is placed. */
  add(ask: Ask): void
  /** After it was taken off. */
  remove(ask: Ask): void
  /** `isTrial`: it will be undone. */
  change(host: Host, ask: Ask, by: 1 | -1, isTrial?: boolean): void
  on(group: string, host: Host): number
  within(group: string, topologyKey: string, value: string): number
  /** The least that any of these values has. */
  least(group: string, topologyKey: string, values: readonly string[]): number
  /** Grows with each change of where the group is. */
  version(group: string): number
}

interface Topology {
  uses: number
  readonly counts: Map<string, number>
  readonly least: Least
}

interface Book {
  readonly members: Set<Ask>
  /** Of those that ask about it. */
  uses: number
  readonly on: Map<Host, number>
  readonly topologies: Map<string, Topology>
  version: number
}

export interface GroupsOptions {
  readonly hostOf: (ask: Ask) => Host | undefined
  readonly all: () => Iterable<Ask>
}

const NONE: readonly string[] = []

export function createGroups(options: GroupsOptions): Groups {
  const books = createBooks()
  const labels = createCountedLabels(options.all, books)
  const groupsOf = (ask: Ask): readonly string[] => {
    const own = isAlone(ask.group) ? NONE : [ask.group]
    return labels.groupsOf(ask, own)
  }
  const topology = (group: string, key: string) => books.known(group)?.topologies.get(key)
  return {
    add: (ask) => {
      if (asksAbout(ask)) labels.use(ask.countBy)
      for (const group of groupsOf(ask)) books.open(group).members.add(ask)
      if (asksAbout(ask)) open(books.open(ask.group), ask, options.hostOf)
    },
    remove: (ask) => {
      if (asksAbout(ask)) close(books.open(ask.group), ask)
      for (const group of groupsOf(ask)) books.leave(group, ask)
      books.leave(ask.group, ask)
      if (asksAbout(ask)) labels.release(ask.countBy)
    },
    change: (host, ask, by, isTrial = false) => {
      for (const group of groupsOf(ask)) books.change(group, host, by, isTrial)
    },
    on: (group, host) => books.known(group)?.on.get(host) ?? 0,
    within: (group, topologyKey, value) => topology(group, topologyKey)?.counts.get(value) ?? 0,
    least: (group, topologyKey, values) =>
      topology(group, topologyKey)?.least.of(values) ?? (values.length === 0 ? Number.POSITIVE_INFINITY : 0),
    version: (group) => books.known(group)?.version ?? 0,
  }
}

function createBooks() {
  const books = new Map<string, Book>()
  let changes = 0
  return {
    known: (group: string): Book | undefined => books.get(group),
    open: (group: string): Book => {
      const known = books.get(group)
      if (known) return known
      // Never a version that a book of this name had before.
      const book = { members: new Set<Ask>(), uses: 0, on: new Map(), topologies: new Map(), version: ++changes }
      books.set(group, book)
      return book
    },
    leave: (group: string, ask: Ask): void => {
      const book = books.get(group)
      book?.members.delete(ask)
      if (book && book.members.size === 0 && book.uses === 0) books.delete(group)
    },
    change: (group: string, host: Host, by: 1 | -1, isTrial: boolean): void => {
      const book = books.get(group)
      if (!book || book.uses === 0) return
      if (!isTrial) book.version = ++changes
      changeBook(book, host, by)
    },
  }
}

/** Labels that somebody counts by: all that have one are members of its groups, only as long as somebody does. */
function createCountedLabels(all: () => Iterable<Ask>, books: ReturnType<typeof createBooks>) {
  const labels = new Map<string, number>()
  const each = (key: string, work: (group: string, ask: Ask) => void): void => {
    for (const ask of all()) {
      const group = labelGroup(key, ask.labels)
      if (group !== undefined) work(group, ask)
    }
  }
  return {
    use: (key: string | undefined): void => {
      if (key === undefined) return
      const uses = labels.get(key) ?? 0
      labels.set(key, uses + 1)
      if (uses === 0) each(key, (group, ask) => books.open(group).members.add(ask))
    },
    release: (key: string | undefined): void => {
      if (key === undefined) return
      const uses = labels.get(key) ?? 0
      if (uses > 1) labels.set(key, uses - 1)
      else if (labels.delete(key)) each(key, books.leave)
    },
    groupsOf: ({ labels: own }: Ask, others: readonly string[]): readonly string[] => {
      if (labels.size === 0) return others
      const found = [...labels.keys()].flatMap((key) => labelGroup(key, own) ?? [])
      return [...new Set([...others, ...found])]
    },
  }
}

/** It counts with nobody; no book is kept of it. */
function isAlone(group: string): boolean {
  return group.startsWith('self ')
}

function asksAbout({ spread, maxPerMachine }: Ask): boolean {
  return spread.length > 0 || maxPerMachine !== undefined
}

/** What is there already is counted when the first asks. */
function open(book: Book, { spread }: Ask, hostOf: GroupsOptions['hostOf']): void {
  const here = [...book.members].flatMap((ask) => hostOf(ask) ?? [])
  if (book.uses++ === 0) for (const host of here) count(book.on, host, 1)
  for (const { topologyKey } of spread) {
    const known = book.topologies.get(topologyKey)
    if (known) {
      known.uses++
      continue
    }
    const counts = new Map<string, number>()
    for (const { labels } of here) count(counts, labels[topologyKey] ?? '', 1)
    book.topologies.set(topologyKey, { uses: 1, counts, least: createLeast(counts) })
  }
}

function close(book: Book, { spread }: Ask): void {
  for (const { topologyKey } of spread) {
    const known = book.topologies.get(topologyKey)
    if (known && --known.uses === 0) book.topologies.delete(topologyKey)
  }
  if (--book.uses === 0) book.on.clear()
}

function changeBook(book: Book, host: Host, by: 1 | -1): void {
  count(book.on, host, by)
  for (const [key, { counts, least }] of book.topologies) {
    count(counts, host.labels[key] ?? '', by)
    if (by < 0) least.shrunk()
  }
}

function count<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + by
  if (now === 0) counts.delete(key)
  else counts.set(key, now)
}
