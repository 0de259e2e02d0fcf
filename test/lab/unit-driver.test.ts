/** The unit driver against real systemds: the suite is bundled and runs inside a machine, where its paths are true. */
import { realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import * as assert from 'uvu/assert'
import { type Lab, type Machine, openLab } from '../../node-agent/lab/index.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const SUITE_TIMEOUT_MS = 60_000
const BOOT_TIMEOUT_MS = 15_000
const silent = () => undefined

const test = suiteOf('unit driver in a machine', { needs: ['lab'] })
let lab: Lab
let machine: Machine

test.before(async () => {
  const bundle = tempDir()
  await build({
    entryPoints: [resolve(import.meta.dirname, 'unit-driver-inside.ts')],
    outfile: join(bundle, 'inside.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['x11'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  })
  lab = await openLab({ dataDir: tempDir(), log: { debug: silent, info: silent, warn: silent } })
  machine = await lab.create('m1', {
    binds: [
      { source: realpathSync(process.execPath), target: '/opt/flotilla/node' },
      { source: bundle, target: '/opt/suite' },
    ],
  })
  await machine.waitRunning(BOOT_TIMEOUT_MS)
})

test.after(() => lab?.close({ removeData: true }))

async function runInside(way: string): Promise<void> {
  const argv = ['env', 'XDG_RUNTIME_DIR=/run/user/0', '/opt/flotilla/node', '/opt/suite/inside.mjs', way]
  const { code, stdout, stderr } = await machine.exec(argv, { timeoutMs: SUITE_TIMEOUT_MS })
  assert.is(code, 0, `inside the machine:\n${stdout}${stderr}`)
  assert.match(stdout, /Passed: +[1-9]/)
}

async function startUserManager(): Promise<void> {
  await machine.exec(['mkdir', '-p', '-m', '700', '/run/user/0'])
  const started = await machine.exec(['systemctl', 'start', 'user@0.service'])
  assert.is(started.code, 0, started.stderr)
  const hasBus = async () => (await machine.exec(['test', '-S', '/run/user/0/bus'])).code === 0
  await until(hasBus, { what: "the user's bus" })
}

test("the machine's own systemd keeps every promise of a unit driver", () => runInside('system'))

test("so does a user's systemd, over the user's bus and over its own socket", async () => {
  await startUserManager()
  await runInside('user-bus')
  await runInside('user-private')
})

test.run()
