import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import { type Applied, applyConfiguration } from '../../../../../api-server/registry/managed-fields/apply.ts'
import { compare } from '../../../../../api-server/registry/managed-fields/compare.ts'
import type { Entry, Owner } from '../../../../../api-server/registry/managed-fields/entries.ts'
import { pathsOf, showPath } from '../../../../../api-server/registry/managed-fields/field-set.ts'
import { entriesAfterUpdate, MAX_UPDATE_ENTRIES } from '../../../../../api-server/registry/managed-fields/update.ts'
import { TOY } from './toy-type.ts'

const test = suite('who owns what')

type Json = Record<string, unknown>
interface State {
  readonly object: Json | undefined
  readonly entries: readonly Entry[]
}

const NEW: State = { object: undefined, entries: [] }
const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`

const ownerOf = (manager: string, operation: Owner['operation']): Owner => ({ manager, operation, apiVersion: 'x/v1' })

function apply(state: State, manager: string, config: Json, { force = false, second = 1 } = {}): State {
  const { object, entries }: Applied = applyConfiguration({
    type: TOY,
    live: state.object,
    config,
    entries: state.entries,
    owner: ownerOf(manager, 'Apply'),
    force,
    time: at(second),
    title: 'default/web; x/v1, Kind=Toy',
  })
  return { object, entries }
}

function update(state: State, manager: string, after: Json, second = 1): State {
  const owner = ownerOf(manager, 'Update')
  const { object: before, entries } = state
  return {
    object: after,
    entries: entriesAfterUpdate({
      change: compare(TOY, before, after),
      isNew: before === undefined,
      entries,
      owner,
      time: at(second),
    }),
  }
}

/** `Apply m1: .image .replicas`, one line an entry. */
const owners = ({ entries }: State) =>
  entries.map(({ manager, operation, fieldsV1 }) =>
    [`${operation} ${manager}:`, ...[...pathsOf(fieldsV1)].map(showPath)].join(' '),
  )

function refusal(run: () => unknown): StatusError['status'] {
  try {
    run()
  } catch (error) {
    if (error instanceof StatusError) return error.status
    throw error
  }
  throw new Error('nothing was refused')
}

test('an object made by apply is owned as far as the configuration goes', () => {
  const made = apply(NEW, 'm1', { image: 'a', labels: { x: '1' } })
  assert.equal(made.object, { image: 'a', labels: { x: '1' } })
  assert.equal(owners(made), ['Apply m1: .image .labels.x'])
})

test('the same configuration again changes nothing, not even the time', () => {
  const made = apply(NEW, 'm1', { image: 'a', env: [{ name: 'x', value: '1' }] })
  const again = apply(made, 'm1', { image: 'a', env: [{ name: 'x', value: '1' }] }, { second: 30 })
  assert.equal(again, made)
  assert.is(again.entries[0], made.entries[0])
})

test('a value that others manage is not changed, and all the conflicts are named', () => {
  const made = apply(NEW, 'm1', { image: 'a', replicas: 1, labels: { x: '1' } })
  const status = refusal(() => apply(made, 'm2', { image: 'b', replicas: 2, labels: { y: '1' } }))
  assert.equal([status.code, status.reason], [409, 'Conflict'])
  assert.is(status.message, 'Apply failed with 2 conflicts: conflicts with "m1":\n- .image\n- .replicas')
  assert.equal(status.details, {
    causes: [
      { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.image' },
      { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.replicas' },
    ],
  })
})

test('one conflict is said in one line, and an updater with its version', () => {
  const made = update(NEW, 'kubectl-edit', { image: 'a' })
  const status = refusal(() => apply(made, 'm2', { image: 'b' }))
  assert.is(status.message, 'Apply failed with 1 conflict: conflict with "kubectl-edit" using x/v1: .image')
})

test('conflicts with several managers are listed by manager', () => {
  const made = apply(apply(NEW, 'm2', { image: 'a' }), 'm1', { replicas: 1 })
  const status = refusal(() => apply(made, 'm3', { image: 'b', replicas: 2 }))
  const text = 'Apply failed with 2 conflicts: conflicts with "m1":\n- .replicas\nconflicts with "m2":\n- .image'
  assert.is(status.message, text)
})

test('force takes what others manage', () => {
  const made = apply(NEW, 'm1', { image: 'a', replicas: 1 })
  const taken = apply(made, 'm2', { image: 'b' }, { force: true })
  assert.equal(taken.object, { image: 'b', replicas: 1 })
  assert.equal(owners(taken), ['Apply m1: .replicas', 'Apply m2: .image'])
})

test('the same value is owned together, and lasts until the last owner gives it up', () => {
  const both = apply(apply(NEW, 'm1', { image: 'a', replicas: 1 }), 'm2', { image: 'a' })
  assert.equal(owners(both), ['Apply m1: .image .replicas', 'Apply m2: .image'])
  const one = apply(both, 'm1', { replicas: 1 })
  assert.equal(one.object, { image: 'a', replicas: 1 })
  assert.equal(owners(one), ['Apply m1: .replicas', 'Apply m2: .image'])
  const none = apply(one, 'm2', { args: ['x'] })
  assert.equal(none.object, { replicas: 1, args: ['x'] })
})

test('what a manager says no more goes, with a map or list that nobody else uses', () => {
  const made = apply(NEW, 'm1', {
    image: 'a',
    labels: { x: '1' },
    env: [{ name: 'x' }, { name: 'y' }],
    set: ['p', 'q'],
  })
  const less = apply(made, 'm1', { image: 'a', env: [{ name: 'y' }], set: ['q'] })
  assert.equal(less.object, { image: 'a', env: [{ name: 'y' }], set: ['q'] })
  assert.equal(owners(less), ['Apply m1: .image .env[name="y"] .env[name="y"].name .set[="q"]'])
})

test('a map stays for the others in it', () => {
  const both = apply(apply(NEW, 'm1', { labels: { x: '1' } }), 'm2', { labels: { y: '2' }, image: 'a' })
  assert.equal(apply(both, 'm1', { replicas: 1 }).object, { labels: { y: '2' }, image: 'a', replicas: 1 })
})

test('a list element that another manager writes into stays, without what was given up', () => {
  const one = apply(NEW, 'm1', { env: [{ name: 'x', value: '1' }] })
  const both = apply(one, 'm2', { env: [{ name: 'x', more: '2' }] })
  assert.equal(apply(both, 'm1', { image: 'a' }).object, { env: [{ name: 'x', more: '2' }], image: 'a' })
})

test('a struct given up goes with the defaults in it, so that they come back as one', () => {
  const made = apply(NEW, 'm1', { rolling: { surge: '1' } })
  const withDefault: State = { ...made, object: { rolling: { surge: '1', skew: 'default' } } }
  assert.equal(apply(withDefault, 'm1', { image: 'a' }).object, { image: 'a' })
})

test('an update takes what it changes from everybody, and nothing else', () => {
  const both = apply(apply(NEW, 'm1', { image: 'a', replicas: 1 }), 'm2', { image: 'a' })
  const changed = update(both, 'editor', { image: 'b', replicas: 1 })
  assert.equal(owners(changed), ['Apply m1: .replicas', 'Update editor: .image'])
})

test('a manager whose last field is taken is no longer named', () => {
  const made = apply(NEW, 'm1', { image: 'a' })
  assert.equal(owners(update(made, 'editor', { image: 'b' })), ['Update editor: .image'])
})

test('what an update removes is owned by nobody', () => {
  const made = apply(NEW, 'm1', { image: 'a', labels: { x: '1', y: '2' } })
  assert.equal(owners(update(made, 'editor', { image: 'a', labels: { y: '2' } })), ['Apply m1: .image .labels.y'])
  assert.equal(owners(update(made, 'editor', {})), [])
})

test('an update that changes nothing leaves the entries themselves', () => {
  const made = apply(NEW, 'm1', { image: 'a' })
  assert.is(update(made, 'editor', { image: 'a' }, 50).entries, made.entries)
})

test('the time is that of the last change by the manager, not of what others took from it', () => {
  const first = update(NEW, 'editor', { image: 'a', replicas: 1 }, 1)
  const second = update(first, 'editor', { image: 'b', replicas: 1 }, 2)
  assert.equal(
    second.entries.map(({ time }) => time),
    [at(2)],
  )
  const third = update(second, 'other', { image: 'b', replicas: 2 }, 3)
  assert.equal(
    third.entries.map(({ manager, time }) => [manager, time]),
    [
      ['editor', at(2)],
      ['other', at(3)],
    ],
  )
})

test('who made an object by update owns its maps too', () => {
  const made = update(NEW, 'creator', { labels: { x: '1' }, env: [{ name: 'a' }] })
  assert.equal(JSON.parse(JSON.stringify(made.entries[0]?.fieldsV1)), {
    'f:env': { '.': {}, 'k:{"name":"a"}': { '.': {}, 'f:name': {} } },
    'f:labels': { '.': {}, 'f:x': {} },
  })
})

test('an object that nobody is known to manage is nobody-managed until the first apply', () => {
  const untracked: State = { object: { image: 'a', replicas: 1 }, entries: [] }
  assert.equal(owners(update(untracked, 'editor', { image: 'b' })), [])
  assert.equal(owners(apply(untracked, 'm1', { image: 'a' })), [
    'Apply m1: .image',
    'Update before-first-apply: .image .replicas',
  ])
  assert.is(refusal(() => apply(untracked, 'm1', { image: 'b' })).code, 409)
})

test('the eleventh updater makes the two oldest one', () => {
  let state: State = update(NEW, 'm0', { free: {} }, 0)
  for (let n = 1; n <= MAX_UPDATE_ENTRIES; n++) {
    const free = { ...(state.object?.free as object), [`key${n}`]: n }
    state = update(state, `m${n}`, { free }, n)
  }
  const managers = state.entries.map(({ manager }) => manager)
  assert.equal(managers, ['ancient-changes', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10'])
  assert.is(owners(state)[0], 'Update ancient-changes: .free .free.key1')
  assert.is(state.entries[0]?.time, at(1))
  const more = update(state, 'm11', { free: { ...(state.object?.free as object), key11: 11 } }, 11)
  assert.is(owners(more)[0], 'Update ancient-changes: .free .free.key1 .free.key2')
})

test('duplicate keys in a configuration are refused by name', () => {
  const status = refusal(() => apply(NEW, 'm1', { env: [{ name: 'a' }, { name: 'a' }] }))
  assert.is(status.code, 400)
  const text =
    'failed to create typed patch object (default/web; x/v1, Kind=Toy): .env: duplicate entries for key [name="a"]'
  assert.is(status.message, text)
})

test('applies of one manager under several versions are one entry', () => {
  const made = apply(NEW, 'm1', { image: 'a' })
  const owner: Owner = { manager: 'm1', operation: 'Apply', apiVersion: 'x/v2' }
  const common = { type: TOY, live: made.object, config: { image: 'b' }, force: false, time: at(2), title: '' }
  const { entries } = applyConfiguration({ ...common, entries: made.entries, owner })
  assert.equal(
    entries.map(({ apiVersion }) => apiVersion),
    ['x/v2'],
  )
})

test.run()
