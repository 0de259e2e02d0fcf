import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addressesOf } from '../../../../node-agent/etcd-v2-forward/known-servers.ts'
import { createServerList } from '../../../../node-agent/etcd-v2-forward/server-list.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const test = suite('order of the API servers')
const [a, b, c] = ['a', 'b', 'c'].map((host) => ({ host, port: 6443 })) as [Server, Server, Server]
type Server = { readonly host: string; readonly port: number }
const order = (list: { inOrder(): readonly Server[] }) =>
  list
    .inOrder()
    .map(({ host }) => host)
    .join('')

test('the one that answered last is asked first, one that failed last', async () => {
  const clock = createFakeClock()
  const list = createServerList([a, b, c], clock)
  assert.is(order(list), 'abc')
  list.answered(c)
  assert.is(order(list), 'cab')
  list.failed(c)
  assert.is(order(list), 'abc')
  await clock.advance(5_000)
  assert.is(order(list), 'cab', 'after a while it is as good as before')
})

test('servers that all failed are still asked', () => {
  const list = createServerList([a, b], createFakeClock())
  list.failed(a)
  list.failed(b)
  assert.is(order(list), 'ab')
})

test('a new list keeps what is known of those that stay, and none comes twice', () => {
  const list = createServerList([a, b], createFakeClock())
  list.failed(a)
  list.replace([a, c, c, b])
  assert.is(order(list), 'cba')
})

test('addresses come from the EndpointSlice, those that are not ready last', () => {
  const endpoints = [{ addresses: ['10.0.0.1'], conditions: { ready: false } }, { addresses: ['10.0.0.2', '10.0.0.3'] }]
  const found = addressesOf({ endpoints, ports: [{ name: 'https', protocol: 'TCP', port: 7443 }] })
  assert.equal(
    found.map(({ host, port, serverName }) => `${host}:${port} ${serverName}`),
    ['10.0.0.2:7443 flotilla', '10.0.0.3:7443 flotilla', '10.0.0.1:7443 flotilla'],
  )
})

test.run()
