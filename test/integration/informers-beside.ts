/** client-node's own informer and ours, side by side, behind a relay of their own. */
import { CoreV1Api, KubeConfig, type KubernetesObject, makeInformer, type V1ConfigMap } from '@kubernetes/client-node'
import pino from 'pino'
import { connect } from '../../controllers/lib/client.ts'
import { createInformer } from '../../controllers/lib/informer.ts'
import { ConfigMap } from '../../crds/index.ts'
import { Relay } from '../support/moving-relay.ts'
import { type Api, startApi } from './api-raw.ts'

export const PATH = '/api/v1/namespaces/default/configmaps'
const AGAIN_MS = 50
const log = pino({ level: process.env.TEST_LOG ?? 'silent' })

/** What an informer was told of each object: versions in order, and whether it went. */
export type Told = Map<string, string[]>

function note(told: Told, object: KubernetesObject | undefined, type: string): void {
  const name = object?.metadata?.name ?? ''
  const list = told.get(name) ?? []
  list.push(type === 'delete' ? 'gone' : `${object?.metadata?.resourceVersion}`)
  told.set(name, list)
}

export function throughRelay(kubeconfigPath: string, port: number): KubeConfig {
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(kubeconfigPath)
  const { name = '', ...cluster } = kubeconfig.getCurrentCluster() ?? { server: '' }
  kubeconfig.clusters = [{ ...cluster, name, server: `https://127.0.0.1:${port}`, skipTLSVerify: false }]
  return kubeconfig
}

/** client-node's informer as its documentation says to use it: started again after every error. */
export async function followWithClientNode(kubeconfig: KubeConfig) {
  const core = kubeconfig.makeApiClient(CoreV1Api)
  const theirs = makeInformer<V1ConfigMap>(kubeconfig, PATH, () =>
    core.listNamespacedConfigMap({ namespace: 'default' }),
  )
  const told: Told = new Map()
  for (const type of ['add', 'update', 'delete'] as const) theirs.on(type, (object) => note(told, object, type))
  let isStopped = false
  const again = (): void => {
    setTimeout(() => !isStopped && void theirs.start().catch(again), AGAIN_MS)
  }
  theirs.on('error', again)
  await theirs.start()
  const end = async (): Promise<void> => {
    isStopped = true
    await theirs.stop()
  }
  return { theirs, told, end }
}

export interface Apart {
  readonly api: Api
  readonly relay: Relay
  readonly told: Told
  /** Versions of the object that client-node's and ours hold. */
  versions(name: string): (string | undefined)[]
  readonly sizes: () => number[]
  /** Whether both know of the object. */
  sees(name: string): boolean
}

/** Both informers behind a relay of their own, and a server whose history the test can cut. */
export async function apart(use: (both: Apart) => Promise<void>): Promise<void> {
  const api = await startApi()
  const relay = new Relay()
  relay.target = api.port
  const kubeconfig = throughRelay(api.server.kubeconfigPath, await relay.listen())
  const { theirs, told, end } = await followWithClientNode(kubeconfig)
  const client = connect({ kubeconfig })
  const ours = createInformer({ client, kind: ConfigMap, namespace: 'default', log })
  const stop = new AbortController()
  const running = ours.start(stop.signal)
  try {
    await ours.ready
    const sees = (name: string) =>
      theirs.get(name, 'default') !== undefined && ours.get(`default/${name}`) !== undefined
    const versions = (name: string) => [
      theirs.get(name, 'default')?.metadata?.resourceVersion,
      ours.get(`default/${name}`)?.metadata.resourceVersion,
    ]
    const sizes = () => [theirs.list('default').length, ours.list().length]
    await use({ api, relay, told, sees, versions, sizes })
  } finally {
    await end()
    stop.abort()
    await running
    await client.close()
    await relay.close()
    await api[Symbol.asyncDispose]()
  }
}
