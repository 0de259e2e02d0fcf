// deadline: 90 s
/** Drop-ins, environment from ConfigMaps and credentials from Secrets, as services on real machines see them. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import * as assert from 'uvu/assert'
import { type ApiClient, connect, isApiError } from '../../controllers/lib/client.ts'
import { findCondition } from '../../controllers/lib/conditions.ts'
import { ConfigMap, Secret } from '../../crds/core/index.ts'
import { Unit } from '../../crds/unit.ts'
import { FAULTS_NEED, type LabFaults, labFaults } from '../support/lab-faults.ts'
import { runProcess } from '../support/process.ts'
import { type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const test = suiteOf('files of units on machines', { needs: FAULTS_NEED })
const IN_DEFAULT = { namespace: 'default' }
const ODD = 'a "quoted" $HOME 100% \\n\nsecond\tline'
const TOKEN = randomBytes(24).toString('hex')
const NEXT_TOKEN = randomBytes(24).toString('hex')
let product: Product
let faults: LabFaults

test.before(async () => {
  product = await startProduct(['up', '--machines', '2'])
  faults = labFaults(product)
})

test.after(async () => {
  await faults?.restore()
  await product?.stop()
})

const onM1 = (script: string) => faults.inside('m1', script)

function create(name: string, spec: Partial<Unit['spec']>): Promise<Unit> {
  const here = { machineName: 'm1', failover: 'none' as const, content: '[Service]\nExecStart=/bin/sleep infinity\n' }
  return product.admin.create(Unit, { metadata: { name }, spec: { ...here, ...spec } })
}

const change = (name: string, spec: object) => product.admin.patch(Unit, name, { type: 'merge', body: { spec } })

function saying(name: string, reason: string): Promise<Unit> {
  const look = async () => {
    const unit = await product.admin.get(Unit, name)
    const active = findCondition(unit.status?.conditions, 'Active')
    if (active?.reason !== reason) throw new Error(`${active?.reason}: ${active?.message}`)
    return active.observedGeneration === unit.metadata.generation && unit
  }
  return until(look, { what: `${name} to be ${reason}` }) as Promise<Unit>
}

const messageOf = (unit: Unit) => findCondition(unit.status?.conditions, 'Active')?.message ?? ''
const pidOf = (name: string) => onM1(`systemctl show -P MainPID ${name}`)

async function environmentOf(name: string): Promise<readonly string[]> {
  return (await onM1(`base64 -w0 /proc/${await pidOf(name)}/environ`).then(decode)).split('\0')
}

const decode = (base64: string) => Buffer.from(base64, 'base64').toString()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

test('a drop-in overrides the file, and taken away leaves nothing but the file', async () => {
  const writes = (word: string) => `ExecStart=/bin/sh -c 'echo ${word} > /run/says'\n`
  const content = `[Service]\nType=oneshot\nRemainAfterExit=yes\n${writes('file')}`
  const dropIns = [
    { name: '20-b.conf', content: `[Service]\nExecStart=\n${writes('second')}` },
    { name: '10-a.conf', content: `[Service]\nExecStart=\n${writes('first')}` },
  ]
  await create('says.service', { content, dropIns })
  const { status } = await saying('says.service', 'Completed')
  assert.is(await onM1('cat /run/says'), 'second')
  assert.is(status?.hash, createHash('sha1').update(content).digest('hex'), "fleet's hash is of the file alone")
  await change('says.service', { dropIns: [] })
  await until(async () => (await onM1('cat /run/says')) === 'file', { what: 'the file alone to count' })
  assert.is(
    await onM1('find /run/systemd/system -name "says.service.d"; systemctl show -P DropInPaths says.service'),
    '',
  )
})

test('a unit waits for the ConfigMap that it names, says so, and starts by itself when it is there', async () => {
  const environment = [
    { name: 'LITERAL', value: ODD },
    { name: 'COLOUR', configMapKeyRef: { name: 'settings', key: 'colour' } },
    { name: 'ABSENT', configMapKeyRef: { name: 'nowhere', key: 'x', optional: true } },
  ]
  await create('env.service', { environment })
  assert.match(
    messageOf(await saying('env.service', 'ConfigMissing')),
    /^environment COLOUR comes from ConfigMap default\/settings, which does not exist: kubectl -n default create configmap settings/,
  )
  assert.is(await onM1('systemctl show -P LoadState env.service'), 'not-found')
  await product.admin.create(ConfigMap, { metadata: { name: 'settings', ...IN_DEFAULT }, data: { shape: 'round' } })
  await until(async () => /the key colour/.test(messageOf(await product.admin.get(Unit, 'env.service'))), {
    what: 'the missing key to be named',
  })
  await setColour('blue')
  await saying('env.service', 'Running')
  const seen = await environmentOf('env.service')
  assert.ok(seen.includes(`LITERAL=${ODD}`), seen.join('\n'))
  assert.ok(seen.includes('COLOUR=blue'))
  assert.not(seen.some((entry) => entry.startsWith('ABSENT')))
})

const setColour = (colour: string) =>
  product.admin.patch(ConfigMap, 'settings', { ...IN_DEFAULT, type: 'merge', body: { data: { colour } } })

test('a new value restarts nothing and counts from the next start; a new reference restarts', async () => {
  const before = await pidOf('env.service')
  await setColour('green')
  await until(async () => (await onM1('systemctl show -P Environment env.service')).includes('COLOUR=green'), {
    what: 'systemd to know the new value',
  })
  assert.is(await pidOf('env.service'), before)
  assert.ok((await environmentOf('env.service')).includes('COLOUR=blue'))
  await onM1('systemctl restart env.service')
  assert.ok((await environmentOf('env.service')).includes('COLOUR=green'))
  const now = await pidOf('env.service')
  await change('env.service', {
    environment: [{ name: 'COLOUR', configMapKeyRef: { name: 'settings', key: 'shape' } }],
  })
  await until(async () => ![now, '0'].includes(await pidOf('env.service')), { what: 'another process' })
  assert.ok((await environmentOf('env.service')).includes('COLOUR=round'))
})

const putToken = (token: string) =>
  product.admin.patch(Secret, 'token', { ...IN_DEFAULT, type: 'merge', body: { stringData: { value: token } } })

test('a service reads its credential, and the value is nowhere on the machine', async () => {
  await product.admin.create(Secret, { metadata: { name: 'token', ...IN_DEFAULT }, stringData: { value: TOKEN } })
  const content = `[Service]\nExecStartPre=/bin/sh -c 'sha256sum < $CREDENTIALS_DIRECTORY/login > /run/login'\nExecStart=/bin/sleep infinity\n`
  await create('cred.service', {
    content,
    credentials: [{ name: 'login', secretKeyRef: { name: 'token', key: 'value' } }],
  })
  await saying('cred.service', 'Running')
  assert.match(await onM1('cat /run/login'), sha256(TOKEN))
  for (const text of [TOKEN, Buffer.from(TOKEN).toString('base64')]) {
    const disk = await runProcess([
      'grep',
      '--recursive',
      '--files-with-matches',
      text,
      join(product.dataDir, 'machines'),
    ])
    assert.is(disk.stdout, '')
    assert.is(await onM1(`grep -rl ${text} /run/log /run/systemd /var 2>/dev/null || true`), '')
  }
})

test('a new value of a Secret restarts nothing and counts from the next start', async () => {
  const before = await pidOf('cred.service')
  const blob = () => onM1('cat /var/lib/flotilla/agent/credentials/*.cred')
  const old = await blob()
  await putToken(NEXT_TOKEN)
  await until(async () => (await blob()) !== old, { what: 'another blob' })
  assert.is(await pidOf('cred.service'), before)
  await onM1('systemctl restart cred.service')
  assert.match(await onM1('cat /run/login'), sha256(NEXT_TOKEN))
})

/** What the agent of that machine is to the API server. */
function agentOf(machine: string): ApiClient {
  const text = readFileSync(join(product.dataDir, 'machines', machine, 'etc/flotilla/kubeconfig'), 'utf8')
  const admin = new KubeConfig()
  admin.loadFromFile(product.kubeconfig)
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromString(text.replace(/server: .*/, `server: ${admin.getCurrentCluster()?.server}`))
  return connect({ kubeconfig })
}

async function answer(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'allowed'
  } catch (error) {
    return isApiError(error, 403) ? 'forbidden' : String(error)
  }
}

test('a machine reads the Secrets that its units name, and no others; another machine none of them', async () => {
  await product.admin.create(Secret, { metadata: { name: 'other', ...IN_DEFAULT }, stringData: { value: 'x' } })
  const [m1, m2] = [agentOf('m1'), agentOf('m2')]
  const named = { ...IN_DEFAULT, fieldSelector: 'metadata.name=token' }
  const answers = await Promise.all([
    answer(m1.get(Secret, 'token', IN_DEFAULT)),
    answer(m1.list(Secret, named)),
    answer(m1.get(ConfigMap, 'settings', IN_DEFAULT)),
    answer(m1.get(Secret, 'other', IN_DEFAULT)),
    answer(m1.list(Secret, IN_DEFAULT)),
    answer(m2.get(Secret, 'token', IN_DEFAULT)),
    answer(m2.list(Secret, named)),
    answer(m2.get(ConfigMap, 'settings', IN_DEFAULT)),
  ])
  await Promise.all([m1.close(), m2.close()])
  assert.equal(answers, [...Array(3).fill('allowed'), ...Array(5).fill('forbidden')])
})

test('a machine that boots while no server answers starts its units with all that they had', async () => {
  await faults.cut('m1', 'both')
  await faults.reboot('m1')
  await until(async () => (await onM1('systemctl is-active env.service cred.service || true')) === 'active\nactive', {
    what: 'both units to run',
    timeoutMs: 20_000,
  })
  assert.ok((await environmentOf('env.service')).includes('COLOUR=round'))
  assert.match(await onM1('cat /run/login'), sha256(NEXT_TOKEN))
  await faults.heal('m1')
})

test('what no unit names any more is on the machine no more', async () => {
  await product.admin.delete(Unit, 'cred.service')
  await until(async () => (await onM1('find /var/lib/flotilla/agent/credentials -type f')) === '', {
    what: 'the blob to go',
    timeoutMs: 15_000,
  })
})

test.run()
