/**
 * Random graphs of owners on a real API server, deleted piece by piece in every way, against the model; the collector is
 * killed at random writes and comes back knowing nothing.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ClusterRole, ConfigMap, Namespace } from '../../../../crds/index.ts'
import type { Metadata, OwnerReference } from '../../../../crds/kind.ts'
import { type Random, seeded } from '../../../support/random.ts'
import { until } from '../../../support/until.ts'
import {
  closeCircles,
  NOBODY,
  type Propagation,
  randomThings,
  remove,
  settle,
  type Thing,
  type Things,
  written,
} from './model.ts'
import { startWorld, type World } from './world.ts'

const test = suite('garbage collector, random graphs')

const SEEDS = process.env.GC_SEEDS?.split(',').map(Number) ?? [1, 2]
const THINGS = 30
const DELETIONS = 5
const POLICIES: readonly Propagation[] = ['Background', 'Foreground', 'Orphan']

for (const seed of SEEDS)
  test(`what is left is what the rules leave, whenever the collector dies (seed ${seed})`, async () => {
    const random = seeded(seed)
    const deaths = seeded(seed + 1_000)
    const killAt = () => (deaths.chance(0.15) ? deaths.pick(['before', 'after'] as const) : undefined)
    await using world = await startWorld({ killAt })
    const things = randomThings(THINGS, random)
    const born = new Map([...things.values()].map(({ name, namespace }) => [name, namespace]))
    for (const name of ['a', 'b']) await world.admin.create(Namespace, { metadata: { name } })
    const uids = await createAll(world, things, random)
    world.collect()
    settle(things, born)
    await expectSame(world, uids, things, 'after the beginning')
    for (let at = 0; at < DELETIONS && things.size > 0; at++) {
      const thing = random.pick([...things.values()])
      const propagation = random.pick(POLICIES)
      await world.admin.metadata.delete(resourceOf(thing), thing.name, {
        ...placeOf(thing),
        propagationPolicy: propagation,
      })
      remove(things, thing.name, propagation)
      settle(things, born)
      await expectSame(world, uids, things, `${thing.name} deleted (${propagation})`)
    }
  })

/** Circles come afterwards: an owner's uid must be known to name it. */
async function createAll(world: World, things: Things, random: Random): Promise<Map<string, string>> {
  const uids = new Map<string, string>()
  const all = [...things.values()]
  const names = new Map(all.map((thing) => [thing.name, thing]))
  for (const thing of all) {
    const metadata = { name: thing.name, ...placeOf(thing), ownerReferences: references(thing, names, uids) }
    const kind = thing.namespace === '' ? ClusterRole : ConfigMap
    const { metadata: made } = await world.admin.create(kind, { metadata } as never)
    uids.set(thing.name, made.uid ?? '')
  }
  for (const thing of closeCircles(things, 4, random)) {
    const metadata = { ownerReferences: references(thing, names, uids) }
    // It may be gone by now because all its owners were nobody.
    await world.admin.metadata
      .patch(resourceOf(thing), thing.name, { ...placeOf(thing), metadata })
      .catch(() => undefined)
  }
  return uids
}

function references({ owners }: Thing, things: ReadonlyMap<string, Thing>, uids: ReadonlyMap<string, string>) {
  return owners.map(({ to, block }): OwnerReference => {
    const isCluster = things.get(to)?.namespace === ''
    return {
      apiVersion: isCluster ? 'rbac.authorization.k8s.io/v1' : 'v1',
      kind: isCluster ? 'ClusterRole' : 'ConfigMap',
      name: to,
      uid: uids.get(to) ?? `uid-of-${NOBODY}`,
      blockOwnerDeletion: block,
    }
  })
}

function placeOf({ namespace }: Thing) {
  return namespace === '' ? {} : { namespace }
}

function resourceOf({ namespace }: Pick<Thing, 'namespace'>) {
  return { ...(namespace === '' ? ClusterRole : ConfigMap), verbs: [] }
}

async function expectSame(world: World, uids: ReadonlyMap<string, string>, things: Things, when: string) {
  const expected = written(things.values())
  const names = new Map([...uids].map(([name, uid]) => [uid, name]))
  const look = async () => {
    const lists = await Promise.all([world.admin.list(ConfigMap), world.admin.list(ClusterRole)])
    const found = lists.flatMap(({ items }) => items as unknown as readonly { readonly metadata: Metadata }[])
    return written(
      found
        .filter(({ metadata }) => metadata.name.startsWith('thing-'))
        .map(({ metadata }) => ({
          name: metadata.name,
          namespace: metadata.namespace ?? '',
          owners: (metadata.ownerReferences ?? []).map(({ uid }) => ({ to: names.get(uid) ?? NOBODY, block: false })),
        })),
    )
  }
  let found: string[] = []
  await until(
    async () => {
      found = await look()
      return JSON.stringify(found) === JSON.stringify(expected)
    },
    { what: when, timeoutMs: 8_000 },
  ).catch(() => assert.equal(found, expected, when))
}

test.run()
