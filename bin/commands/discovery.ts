import { type Command, Option } from 'commander'
import { withExamples } from '../client/session.ts'
import { DEFAULT_ENDPOINT, endpointsFromEnvironment } from '../etcd-v2/endpoints.ts'

interface NewFlags {
  readonly size: string
  readonly endpoint: string
}

export function register(program: Command): void {
  const discovery = program.command('discovery').description('bootstrap etcd clusters through the etcd v2 API')
  const command = discovery
    .command('new')
    .description('make a discovery URL for a new etcd cluster and print it')
    .requiredOption('--size <n>', 'how many members the cluster begins with')
    .addOption(
      new Option('--endpoint <url>', 'the etcd v2 API, under the address at which the new members reach it').default(
        endpointsFromEnvironment(process.env) ?? DEFAULT_ENDPOINT,
        `$FLOTILLA_ENDPOINTS, $ETCDCTL_ENDPOINTS, else ${DEFAULT_ENDPOINT}`,
      ),
    )
    .action(async ({ size, endpoint }: NewFlags) => {
      const { newDiscoveryUrl } = await import('../etcd-v2/discovery.ts')
      console.log(await newDiscoveryUrl({ size, endpoints: endpoint }))
    })
  withExamples(command, [
    'etcd --name a --discovery "$(flotilla discovery new --size 3 --endpoint http://10.0.0.1:4001)"',
  ])
}
