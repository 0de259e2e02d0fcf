import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kubectls } from '../support/kubectl.ts'
import { until } from '../support/until.ts'
import { scenes } from './kubectl-scenes.ts'

const test = suite('rights, as kubectl meets them')
const withKubectl = scenes(test)

for (const client of await kubectls()) {
  const tell = withKubectl(client)

  tell('who was given nothing is told so, in the words of a kube-apiserver', async ({ alice, name, namespace }) => {
    const user = `User "${name}" cannot`
    const refusals: readonly [string, string][] = [
      [
        `get pods -n ${namespace}`,
        `pods is forbidden: ${user} list resource "pods" in API group "" in the namespace "${namespace}"`,
      ],
      [
        'get units',
        `units.flotilla.dev is forbidden: ${user} list resource "units" in API group "flotilla.dev" at the cluster scope`,
      ],
      ['get pods -A', `pods is forbidden: ${user} list resource "pods" in API group "" at the cluster scope`],
      [
        `get namespace ${namespace}`,
        `namespaces "${namespace}" is forbidden: ${user} get resource "namespaces" in API group "" in the namespace "${namespace}"`,
      ],
      [
        'delete unit x.service',
        `units.flotilla.dev "x.service" is forbidden: ${user} delete resource "units" in API group "flotilla.dev" at the cluster scope`,
      ],
      ['get --raw /metrics', `forbidden: ${user} get path "/metrics"`],
    ]
    for (const [command, text] of refusals) {
      const { code, stderr } = await alice.ends(...command.split(' '))
      assert.is(stderr.trim(), `Error from server (Forbidden): ${text}`)
      assert.is(code, 1)
    }
  })

  tell('a role binding gives what it says, where it says, until it goes', async ({ admin, alice, name, namespace }) => {
    await admin('create', 'role', 'reader', '--verb=get,list', '--resource=configmaps', '-n', namespace)
    await admin('create', 'rolebinding', 'reads', '--role=reader', `--user=${name}`, '-n', namespace)
    assert.match(await alice('get', 'configmaps', '-n', namespace), /^$/)
    assert.is((await alice.ends('get', 'configmaps', '-n', 'default')).code, 1)
    assert.is((await alice.ends('create', 'configmap', 'x', '-n', namespace)).code, 1)
    await admin('delete', 'rolebinding', 'reads', '-n', namespace)
    assert.is((await alice.ends('get', 'configmaps', '-n', namespace)).code, 1)
  })

  tell('a binding to a role that is not there says so when it refuses', async ({ admin, alice, name, namespace }) => {
    await admin('create', 'rolebinding', 'dangling', '--role=none', `--user=${name}`, '-n', namespace)
    const { stderr } = await alice.ends('get', 'pods', '-n', namespace)
    assert.match(stderr, /in the namespace "[^"]+": RBAC: role\.rbac\.authorization\.k8s\.io "none" not found/)
  })

  tell('groups of a certificate count', async ({ admin, alice, namespace }) => {
    await admin('create', 'rolebinding', 'devs-view', '--clusterrole=view', '--group=devs', '-n', namespace)
    assert.is(await alice('auth', 'can-i', 'list', 'pods', '-n', namespace), 'yes')
    await alice('get', 'pods', '-n', namespace)
  })

  tell('auth can-i answers for oneself, for others, and with a list', async ({ admin, alice, name, namespace }) => {
    assert.is(await admin('auth', 'can-i', '*', '*', '--all-namespaces'), 'yes')
    const no = await alice.ends('auth', 'can-i', 'delete', 'secrets', '-n', namespace)
    assert.equal([no.stdout.trim(), no.code], ['no', 1])
    await admin('create', 'rolebinding', 'edits', '--clusterrole=edit', `--user=${name}`, '-n', namespace)
    assert.is(await admin('auth', 'can-i', 'create', 'pods/exec', '-n', namespace, '--as', name), 'yes')
    assert.is(await alice('auth', 'can-i', 'get', '/readyz'), 'yes')
    const list = await alice('auth', 'can-i', '--list', '-n', namespace)
    assert.match(list, /^secrets +\[\] +\[\] +\[.*\bdelete\b.*\]/m)
    assert.match(list, /\[\/healthz\] +\[\] +\[get\]/)
  })

  if (client.version !== '1.20')
    tell('auth whoami names the user and the groups, those one acts as too', async ({ admin, alice, name }) => {
      assert.match(
        await alice('auth', 'whoami'),
        new RegExp(`Username +${name}\\nGroups +\\[devs system:authenticated\\]`),
      )
      const other = await admin('auth', 'whoami', '--as', 'bob', '--as-group', 'ops', '--as-uid', 'u-1')
      assert.match(other, /Username +bob\s+UID +u-1\s+Groups +\[ops system:authenticated\]/)
    })

  tell('acting as others takes the right to', async ({ admin, alice, name, namespace }) => {
    const refused = await alice.ends('get', '--raw', '/api/v1/pods', '--as', 'bob')
    assert.match(
      refused.stderr,
      `users "bob" is forbidden: User "${name}" cannot impersonate resource "users" in API group "" at the cluster scope`,
    )
    await admin(
      'create',
      'clusterrole',
      `as-bob-${name}`,
      '--verb=impersonate',
      '--resource=users',
      '--resource-name=bob',
    )
    await admin('create', 'clusterrolebinding', `as-bob-${name}`, `--clusterrole=as-bob-${name}`, `--user=${name}`)
    await admin('create', 'rolebinding', 'bob-views', '--clusterrole=view', '--user=bob', '-n', namespace)
    await alice('get', 'pods', '-n', namespace, '--as', 'bob')
    assert.match((await alice.ends('get', '--raw', '/api/v1/pods', '--as', 'eve')).stderr, /users "eve" is forbidden/)
    assert.match(
      (await alice.ends('get', '--raw', '/api', '--as', 'bob', '--as-group', 'system:masters')).stderr,
      /groups "system:masters" is forbidden/,
    )
  })

  tell('rules with names allow those objects, watching them too', async ({ admin, alice, name, namespace }) => {
    const here = ['-n', namespace]
    await admin('create', 'configmap', 'one', ...here)
    await admin('create', 'configmap', 'two', ...here)
    await admin(
      'create',
      'role',
      'one',
      '--verb=get,list,watch',
      '--resource=configmaps',
      '--resource-name=one',
      ...here,
    )
    await admin('create', 'rolebinding', 'one', '--role=one', `--user=${name}`, ...here)
    assert.is(await alice('get', 'configmap', 'one', '-o', 'name', ...here), 'configmap/one')
    assert.is((await alice.ends('get', 'configmap', 'two', ...here)).code, 1)
    assert.is(
      await alice('get', 'configmap', '--field-selector', 'metadata.name=one', '-o', 'name', ...here),
      'configmap/one',
    )
    assert.is((await alice.ends('get', 'configmap', ...here)).code, 1)
  })

  tell('a labelled cluster role joins view at once', async ({ admin, alice, name, namespace }) => {
    await admin('create', 'rolebinding', 'views', '--clusterrole=view', `--user=${name}`, '-n', namespace)
    const can = () => alice.ends('auth', 'can-i', 'get', 'leases.coordination.k8s.io', '-n', namespace)
    assert.is((await can()).code, 1)
    await admin('create', 'clusterrole', `more-${name}`, '--verb=get', '--resource=leases.coordination.k8s.io')
    await admin('label', 'clusterrole', `more-${name}`, 'rbac.authorization.k8s.io/aggregate-to-view=true')
    await until(async () => (await can()).code === 0, { what: 'view gathers the new role' })
    await admin('delete', 'clusterrole', `more-${name}`)
    await until(async () => (await can()).code === 1, { what: 'view lets go of it' })
  })

  tell('reviews are asked with create -f, too', async ({ admin, name }) => {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: name, groups: ['system:masters'], resourceAttributes: { verb: 'get', resource: 'nodes' } },
    }
    const answer = JSON.parse(await admin.given(JSON.stringify(review), 'create', '-o', 'json', '-f', '-'))
    assert.is(answer.status.allowed, true)
  })
}

test.run()
