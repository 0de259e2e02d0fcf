import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Claims } from '../../../../../../api-server/legacy/etcd-v2/projection/claims.ts'
import { FLANNEL } from '../../../../../../api-server/legacy/etcd-v2/projection/flannel.ts'
import { type Entry, entryMaker } from '../../../../../../api-server/registry/entry.ts'
import { Subnet } from '../../../../../../crds/index.ts'
import type { Kind } from '../../../../../../crds/kind.ts'

const test = suite('which object a key shows')

const KEY = '/coreos.com/network/subnets/10.1.5.0-24'
const OTHER = '/coreos.com/network/subnets/10.1.6.0-24'

interface Facts {
  readonly cidr?: string
  readonly year?: number
  readonly deletionTimestamp?: string
}

function entry(name: string, { cidr = '10.1.5.0/24', year = 2020, deletionTimestamp }: Facts = {}): Entry {
  const creationTimestamp = `${year}-01-01T00:00:00Z`
  const metadata = { resourceVersion: '1', name, creationTimestamp, ...(deletionTimestamp && { deletionTimestamp }) }
  const object = { apiVersion: Subnet.apiVersion, kind: Subnet.kind, metadata, spec: { cidr, parent: 'r' } }
  return entryMaker(Subnet as Kind)(`-/${name}`, Buffer.from(JSON.stringify(object)), 1n)
}

function claims() {
  const said: string[] = []
  const held = new Claims(FLANNEL, ({ entry: { name } }, why) => void said.push(`${name}: ${why}`))
  return { held, said, ownerOf: (key: string) => held.at(key)?.entry.name }
}

test('the oldest of several, whatever order they come in; the others are told', () => {
  const { held, said, ownerOf } = claims()
  held.changed('-/young', entry('young', { year: 2022 }))
  held.changed('-/old', entry('old', { year: 2021 }))
  assert.is(ownerOf(KEY), 'old')
  assert.equal(said, [`young: the key ${KEY} is already that of old`])
})

test('the next one, once the oldest is gone or going', () => {
  for (const end of [undefined, entry('old', { deletionTimestamp: '2026-01-01T00:00:00Z' })]) {
    const { held, ownerOf } = claims()
    held.changed('-/old', entry('old'))
    held.changed('-/young', entry('young', { year: 2022 }))
    assert.equal([...held.changed('-/old', end)], [KEY])
    assert.is(ownerOf(KEY), 'young')
  }
})

test('an object that moves to another key leaves its own, and both are told', () => {
  const { held, ownerOf } = claims()
  held.changed('-/a', entry('a'))
  assert.equal([...held.changed('-/a', entry('a', { cidr: '10.1.6.0/24' }))], [KEY, OTHER])
  assert.is(ownerOf(KEY), undefined)
  assert.is(ownerOf(OTHER), 'a')
})

test('an object that cannot be shown any more leaves its key', () => {
  const { held, said, ownerOf } = claims()
  held.changed('-/a', entry('a'))
  held.changed('-/a', entry('a', { cidr: 'nonsense' }))
  assert.is(ownerOf(KEY), undefined)
  assert.match(said[0] ?? '', /^a: spec\.cidr "nonsense"/)
})

test.run()
