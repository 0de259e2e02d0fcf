/**
 * The script of kubectl's habits, played by one kubectl on the product's own processes: server and controllers, and an
 * agent without systemd that runs what is scheduled. Every scene has a namespace, a folder and a kubeconfig of its own;
 * names of cluster-scoped objects are a scene's own too.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openPki } from '../../../api-server/auth/pki.ts'
import { Machine, Namespace } from '../../../crds/index.ts'
import { type Kubectl, kubectls } from '../../support/kubectl.ts'
import type { RunningProcess } from '../../support/process.ts'
import { type Product, startFlotilla, startProduct } from '../../support/product.ts'
import { suiteOf } from '../../support/requirements.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { parseTranscript, type Scene } from '../../support/transcript/parse.ts'
import { playScene, type Stage } from '../../support/transcript/play.ts'
import { until } from '../../support/until.ts'

/** What the script is to stay above, whoever shortens it. */
const MIN_COMMANDS = 150
const SCENES = join(import.meta.dirname, 'scenes')
/** What a developer's shell may hold that would lead kubectl elsewhere. */
const UNSET = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'EDITOR']

interface House {
  readonly product: Product
  /** A folder with the certificate and key of `dora`, who is in the group `devs`. */
  readonly people: string
  readonly agent: RunningProcess
}

function scenesFor(version: string): Scene[] {
  const files = readdirSync(SCENES).sort()
  const only = process.env.SCENES ?? '' // a part of a title, for whoever works on one
  return files
    .flatMap((file) => {
      const told = parseTranscript(readFileSync(join(SCENES, file), 'utf8'), version)
      return told.map((scene) => ({ ...scene, title: `${file.replace(/\.\w+$/, '')}: ${scene.title}` }))
    })
    .filter(({ title }) => title.includes(only))
}

/** Declares the suite of one kubectl and runs it. */
export async function playScript(version: Kubectl['version']): Promise<void> {
  const client = (await kubectls()).find((one) => one.version === version)
  const name = `the script of kubectl's habits, with ${version}`
  const test = client === undefined ? suiteOf(name, { needs: [`kubectl ${version}`] }) : suite(name)
  const shell = client && shellOf(client)
  let house: House
  let count = 0
  test.before(async () => {
    house = await openHouse()
  })
  test.after(async () => {
    await house?.agent.stop()
    await house?.product.stop()
  })
  scenesFor(version).forEach((scene, index) => {
    test(scene.title, async () => {
      const stage = await stageOf(house, `scene-${index + 1}`)
      count += await playScene(scene, { ...stage, env: { ...stage.env, ...shell } })
    })
  })
  test(`at least ${MIN_COMMANDS} commands have run`, () => {
    console.log(`kubectl ${version}: ${count} commands`)
    if (process.env.SCENES === undefined) assert.ok(count >= MIN_COMMANDS, `only ${count}`)
  })
  test.run()
}

async function openHouse(): Promise<House> {
  const product = await startProduct(['up', '--machines', '0'])
  const options = ['--driver', 'process', '--listen', '127.0.0.1:0', '--data-dir', tempDir()]
  const agent = ['agent', '--name', 'box', ...options, '--kubeconfig', product.kubeconfig]
  const people = await issueDora(product.dataDir)
  const house = { product, people, agent: await startFlotilla(agent, product.kubeconfig) }
  const isReady = async () => {
    const { status } = await product.admin.get(Machine, 'box')
    return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True')
  }
  await until(isReady, { what: 'the machine to be Ready', timeoutMs: 10_000 })
  return house
}

async function issueDora(dataDir: string): Promise<string> {
  const folder = tempDir()
  const pki = await openPki(dataDir)
  const { certificate, key } = await pki.issueClient({ commonName: 'dora', organizations: ['devs'] })
  writeFileSync(join(folder, 'dora.crt'), certificate)
  writeFileSync(join(folder, 'dora.key'), key, { mode: 0o600 })
  return folder
}

/** One home for the whole script, as a person has: what kubectl keeps of earlier answers has to stay right. */
function shellOf({ path }: Kubectl): Stage['env'] {
  const home = tempDir()
  const bin = join(home, 'bin')
  mkdirSync(bin)
  const counted = `#!/bin/sh\necho ran >>"$KUBECTL_COUNT"\nexec '${path}' "$@"\n`
  writeFileSync(join(bin, 'kubectl'), counted)
  chmodSync(join(bin, 'kubectl'), 0o755)
  const unset = Object.fromEntries(UNSET.map((variable) => [variable, undefined]))
  // A kubectl lives for a moment: collecting its garbage would take a quarter of that.
  return { ...unset, GOGC: 'off', HOME: home, LC_ALL: 'C', PATH: `${bin}:${process.env.PATH}` }
}

async function stageOf({ product, people }: House, namespace: string): Promise<Stage> {
  await product.admin.create(Namespace, { metadata: { name: namespace } })
  const folder = tempDir()
  const file = join(folder, 'kubeconfig')
  const text = readFileSync(product.kubeconfig, 'utf8')
  writeFileSync(file, text.replace(/^( +)user: (?=["\w])/m, `$1namespace: ${namespace}\n$1user: `), { mode: 0o600 })
  const countFile = join(folder, 'count')
  const env = { KUBECONFIG: file, KUBECTL_COUNT: countFile, NS: namespace, PEOPLE: people }
  return { countFile, env }
}
