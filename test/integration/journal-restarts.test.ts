/** A log that is followed while the server, and then the agent, is killed: no line is lost, none comes twice. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderKubeconfig } from '../../api-server/auth/kubeconfig.ts'
import { openPki } from '../../api-server/auth/pki.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import type { RunningProcess } from '../support/process.ts'
import { type Product, startFlotilla, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('a followed journal over kills')
const NAME = 'ticks.service'
const agentDir = tempDir()
let server: Product
let agent: RunningProcess

const startAgent = () => {
  const place = ['--name', 'box', '--driver', 'process', '--listen', '127.0.0.1:0', '--data-dir', agentDir]
  return startFlotilla(['agent', '--kubeconfig', join(agentDir, 'kubeconfig'), ...place], server.kubeconfig)
}

/** A machine's own certificate: without one an agent has no door, hence no logs. */
async function admit(): Promise<void> {
  const pki = await openPki(server.dataDir)
  const user = 'machine:box'
  const names = { commonName: user, organizations: ['flotilla:machines'], dnsNames: ['machine-box'] }
  const { certificate, key, keyHash } = await pki.storedClient('machine-box', names)
  const metadata = { name: 'box' }
  await server.admin.create(Machine, { apiVersion: Machine.apiVersion, kind: 'Machine', metadata } as Machine)
  const body = { status: { keyHashes: [keyHash] } }
  await server.admin.patch(Machine, 'box', { type: 'merge', body, subresource: 'status' })
  const { api = '' } = server.endpoints
  const all = { server: api, caCertificate: pki.caCertificate, certificate, key, user, tlsServerName: 'flotilla' }
  writeFileSync(join(agentDir, 'kubeconfig'), renderKubeconfig(all), { mode: 0o600 })
}

test.before(async () => {
  server = await startProduct(['server'])
  await admit()
  agent = await startAgent()
  const content = "[Service]\nExecStart=/bin/sh -c 'i=0; while :; do i=$$((i+1)); echo tick $$i; sleep 0.02; done'\n"
  const spec = { content, machineName: 'box' }
  await server.admin.create(Unit, { apiVersion: Unit.apiVersion, kind: 'Unit', metadata: { name: NAME }, spec } as Unit)
  const isUp = async () => (await server.admin.get(Unit, NAME)).status?.systemd?.activeState === 'active'
  await until(isUp, { what: 'the ticks', timeoutMs: 15_000 })
  await until(async () => (await server.admin.get(Machine, 'box')).status?.agent, {
    what: 'the agent to say where it is',
  })
})

test.after(async () => {
  await server?.admin.delete(Unit, NAME)
  await until(async () => (await server.admin.list(Unit)).items.length === 0, { what: 'the unit to go' })
  await agent?.stop()
  await server?.stop()
})

test('no line is lost, none comes twice', async () => {
  await using journal = await startFlotilla(['journal', '-f', NAME, '-o', 'cat'], server.kubeconfig)
  await journal.waitForLine(/^tick \d+$/)
  await server.process.crash()
  await server.admin.close()
  const { dataDir, endpoints } = server
  server = await startProduct(['server', '--listen', endpoints.api?.replace('https://', '') ?? ''], { dataDir })
  await moreLines(journal)
  await agent.crash()
  agent = await startAgent()
  await moreLines(journal)
  const numbers = journal.lines.flatMap((line) => /^tick (\d+)$/.exec(line)?.[1] ?? []).map(Number)
  assert.equal(
    numbers,
    numbers.map((_, at) => (numbers[0] ?? 0) + at),
  )
})

function moreLines(journal: RunningProcess): Promise<unknown> {
  const before = journal.lines.length
  return until(() => journal.lines.length > before + 100, { what: 'a hundred more lines', timeoutMs: 15_000 })
}

test.run()
