import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BELIEVED_MS, createNewest } from '../../../../controllers/unit-set/newest.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { unit } from '../../../support/objects.ts'

const test = suite('the newest that is known of a set')

const child = (name: string, resourceVersion: string, uid = 'p') => {
  const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: 'parent', uid, controller: true }
  return unit(name, { metadata: { resourceVersion, ownerReferences: [owner] } })
}

function begin(...units: readonly Unit[]) {
  const cache = new Map(units.map((each) => [each.metadata.name, each]))
  const clock = createFakeClock()
  const newest = createNewest({ get: (name) => cache.get(name), list: () => [...cache.values()] }, clock)
  newest.reset()
  return {
    newest,
    clock,
    show: (each: Unit) => {
      cache.set(each.metadata.name, each)
      newest.changed(each.metadata.name)
    },
    hide: (name: string) => {
      cache.delete(name)
      newest.changed(name)
    },
    seen: () => newest.childrenOf('p').map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`),
  }
}

test('what was written counts before the informer shows it', () => {
  const { newest, seen } = begin(child('a', '9'))
  newest.learn(child('a', '10'))
  newest.learn(child('b', '11'))
  assert.equal([seen(), newest.isBehind('p')], [['a 10', 'b 11'], true])
})

test('what the informer shows later counts for more', () => {
  const { newest, seen, show, hide } = begin(child('a', '9'))
  newest.learn(child('a', '10'))
  show(child('a', '12'))
  assert.equal(seen(), ['a 12'])
  hide('a')
  assert.equal([seen(), newest.isBehind('p')], [[], false])
})

test('an answer older than the informer is no news', () => {
  const { newest, seen } = begin(child('a', '12'))
  newest.learn(child('a', '10'))
  assert.equal(seen(), ['a 12'])
})

test('what the informer never shows is not believed for ever', async () => {
  const { newest, seen, clock } = begin()
  newest.learn(child('a', '10'))
  assert.equal(seen(), ['a 10'])
  await clock.advance(BELIEVED_MS)
  assert.equal(seen(), [])
})

test('one that gets another parent is not ours any more', () => {
  const { seen, show, newest } = begin(child('a', '9'))
  show(child('a', '10', 'q'))
  assert.equal([seen(), newest.childrenOf('q').length], [[], 1])
})

test.run()
