import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { JSON_FORMAT } from '../../../../api-server/registry/change.ts'
import { objectOf } from '../../../../api-server/registry/entry.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { list } from '../../../../api-server/registry/list.ts'
import type { Registry } from '../../../../api-server/registry/registry.ts'
import { watch } from '../../../../api-server/registry/watch.ts'
import { Machine, Node } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { withRegistry } from './with-registry.ts'

const MACHINE = Machine as unknown as Kind
const NODE = Node as unknown as Kind
const node = (name: string) => ({ kind: NODE, namespace: undefined, name })
const machine = (name: string) => ({ kind: MACHINE, namespace: undefined, name })

async function make(registry: Registry, name: string): Promise<void> {
  await registry.create(MACHINE, undefined, { apiVersion: 'flotilla.dev/v1', kind: 'Machine', metadata: { name } })
}

const cordon = (one: ApiObject): ApiObject => ({ ...one, spec: { ...(one.spec as object), unschedulable: true } })
const reason = (error: unknown) => (error instanceof StatusError ? error.status.reason : String(error))

const test = suite('kinds that are views')

test('a machine is read as a node, under its own version', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const [seen, source] = [registry.get(node('m1')), registry.get(machine('m1'))]
    assert.is(objectOf(seen).kind, 'Node')
    assert.is(seen.version, source.version)
    assert.is(objectOf(seen).metadata.uid, objectOf(source).metadata.uid)
    assert.equal(
      (await list(registry, NODE, {})).entries.map(({ name }) => name),
      ['m1'],
    )
  }))

test('a change of a node is a change of its machine, and answers with the node', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const { bytes } = await registry.update(node('m1'), cordon, undefined)
    assert.is((JSON.parse(bytes.toString()) as ApiObject).kind, 'Node')
    const { spec, metadata } = objectOf(registry.get(machine('m1')))
    assert.equal(spec, { unschedulable: true })
    assert.is(metadata.generation, 2)
  }))

test('a change that names another version loses, by the name of the node', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const stale = objectOf(registry.get(node('m1')))
    await registry.update(machine('m1'), cordon, undefined)
    try {
      await registry.update(node('m1'), () => cordon(stale), undefined)
      assert.unreachable()
    } catch (error) {
      assert.is(reason(error), 'Conflict')
      assert.match(String(error), 'nodes "m1"')
    }
  }))

test('an unchanged node writes nothing, and a dry run neither', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const { version } = registry.get(machine('m1'))
    await registry.update(node('m1'), (one) => one, undefined)
    const { bytes } = await registry.update(node('m1'), cordon, undefined, { dryRun: true })
    assert.match(bytes.toString(), '"unschedulable":true')
    assert.is(registry.get(machine('m1')).version, version)
  }))

test('a node is not made, and deleting it deletes the machine', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const made = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'm2' } }
    assert.is(await registry.create(NODE, undefined, made).then(() => 'made', reason), 'MethodNotAllowed')
    const { gone, bytes } = await registry.delete(node('m1'))
    assert.ok(gone)
    assert.match(bytes.toString(), '"kind":"Node"')
    assert.is(registry.find(machine('m1')), undefined)
    assert.is(await registry.delete(node('m1')).then(() => 'deleted', String), 'Error: nodes "m1" not found')
  }))

test('what no node may be is refused as a node', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const taint = (one: ApiObject) => ({ ...one, spec: { taints: [{ key: 'a', effect: 'Perhaps' }] } })
    const refusal = await registry.update(node('m1'), taint, undefined).then(() => 'taken', String)
    assert.match(refusal, 'Node "m1" is invalid: spec.taints[0].effect')
  }))

test('a watch of nodes resumes anywhere in the history of machines, and shows each change once', () =>
  withRegistry(async ({ registry }) => {
    await make(registry, 'm1')
    const after = registry.get(machine('m1')).version
    await registry.update(machine('m1'), cordon, undefined)
    registry.feed.cache(NODE).reset(registry.feed.revision)
    const seen: string[] = []
    const note = (line: Buffer) => {
      const { type, object } = JSON.parse(line.toString()) as { type: string; object: ApiObject }
      seen.push(`${type} ${object.kind} ${object.metadata.resourceVersion}`)
    }
    const subscription = await watch(registry, NODE, { after, format: JSON_FORMAT }, note)
    for (const line of subscription.initial) note(line)
    const first = registry.get(node('m1')).version
    await registry.delete(machine('m1'))
    subscription.cancel()
    assert.is(seen[0], `MODIFIED Node ${first}`)
    assert.match(seen[1] ?? '', /^DELETED Node \d+$/)
    assert.is(seen.length, 2)
  }))

test.run()
