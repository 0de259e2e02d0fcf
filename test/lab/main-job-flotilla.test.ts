/** The same job without kubectl: the command's own verbs against three machines with their own systemd. */
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/unit.ts'
import { rowsOf } from '../support/expect-kubectl.ts'
import { flotilla, type Product, QUICKSTART, startFlotilla, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const test = suiteOf('main job without kubectl', { needs: ['lab'] })
let product: Product

test.before(async () => {
  product = await startProduct(['up', '--machines', '3'])
})

test.after(async () => {
  await product?.stop()
})

/** What the command printed; rejects with its words when it failed. */
async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await flotilla(args, product)
  if (code !== 0) throw new Error(`flotilla ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`)
  return stdout.trim()
}

async function holderOf(unit: string): Promise<string> {
  return (await product.admin.get(Unit, unit)).status?.machineName ?? ''
}

test('get machines shows three Ready machines', async () => {
  const rows = rowsOf(await run('get', 'machines'))
  assert.equal(
    rows.map(({ name, ready }) => `${name} ${ready}`),
    ['m1 True', 'm2 True', 'm3 True'],
  )
})

test('watch units shows the applied quickstart going active', async () => {
  await using watch = await startFlotilla(['watch', 'units'], product.kubeconfig)
  assert.is((await run('apply', '-f', QUICKSTART)).match(/created/g)?.length, 8)
  await watch.waitForLine(/^web\.service +launched +m\d +active +running/)
  await watch.waitForLine(/^greeter\.socket +launched +m\d +active +listening/)
  assert.match(await run('apply', '-f', QUICKSTART), /^(\S+ unchanged\n?){8}$/)
})

test('status says in a few lines that all is well', async () => {
  const text = await until(
    async () => {
      const said = await run('status')
      return said.includes('nothing is wrong') && said
    },
    { what: 'nothing wrong' },
  )
  assert.match(text, /Machines +3: 3 ready/)
  assert.match(text, /Units +8: /)
})

test('exec runs a command on a machine and ends with its exit code', async () => {
  assert.is(await run('exec', 'm2', '--', 'hostname'), 'm2')
  const ended = await flotilla(['exec', 'm3', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'], product)
  assert.equal([ended.code, ended.stdout, ended.stderr], [7, 'out\n', 'err\n'])
})

test('journal -f shows what the unit said and goes on with what it says', async () => {
  await using journal = await startFlotilla(['journal', 'web.service', '-f'], product.kubeconfig)
  await journal.waitForLine(/listening on port 8080/)
  const get = 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /seen HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'
  assert.match(await run('exec', 'unit/web.service', '--', 'bash', '-c', get), /hello from the fleet/)
  await journal.waitForLine(/request: GET \/seen/)
})

test('what is refused is told by status, and why says why', async () => {
  const content = '[Service]\nExecStart=/no/such/program\n'
  const unit = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name: 'gone.service' }, spec: { content } }
  const applied = await flotilla(['apply', '-f', '-'], { ...product, input: JSON.stringify(unit) })
  assert.match(applied.stdout, /gone\.service created/)
  await until(async () => (await run('status')).includes('gone.service'), { what: 'status to name it' })
  assert.match(await run('why', 'unit/gone.service'), /no\/such\/program/)
  await run('delete', 'unit', 'gone.service')
  assert.match(await run('status'), /nothing is wrong/)
})

test('delete stops the units and leaves no file of theirs', async () => {
  const machine = await holderOf('web.service')
  await run('delete', '-f', QUICKSTART)
  assert.is(rowsOf(await run('get', 'units')).filter(({ name }) => name?.includes('.')).length, 0)
  const look = [
    'exec',
    machine,
    '--',
    'sh',
    '-c',
    'systemctl is-active web.service; find /run/systemd -name web.service',
  ]
  const left = async () => (await flotilla(look, product)).stdout.trim() === 'inactive'
  await until(left, { what: 'nothing of web.service to be left' })
})

test.run()
