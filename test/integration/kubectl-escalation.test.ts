import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kubectls } from '../support/kubectl.ts'
import { scenes } from './kubectl-scenes.ts'

const test = suite('the guard against escalation, as kubectl meets it')
const withKubectl = scenes(test)

for (const client of await kubectls()) {
  const tell = withKubectl(client)

  tell('nobody hands out what they do not have', async ({ admin, alice, name, namespace }) => {
    await admin('create', 'rolebinding', 'admins', '--clusterrole=admin', `--user=${name}`, '-n', namespace)
    const here = ['-n', namespace]
    await alice('create', 'role', 'mine', '--verb=get', '--resource=secrets', ...here)
    const star = await alice.ends('create', 'role', 'evil', '--verb=*', '--resource=secrets', ...here)
    const groups = '\\(groups=\\["devs" "system:authenticated"\\]\\)'
    const grant = `user "${name}" ${groups} is attempting to grant RBAC permissions not currently held:`
    assert.match(
      star.stderr,
      new RegExp(
        `roles.rbac.authorization.k8s.io "evil" is forbidden: ${grant}\\n\\{APIGroups:\\[""\\], Resources:\\["secrets"\\], Verbs:\\["\\*"\\]\\}`,
      ),
    )
    const edited = await alice.ends(
      'patch',
      'role',
      'mine',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/rules/0/resources","value":["nodes/proxy"]}]',
      ...here,
    )
    assert.match(edited.stderr, /is attempting to grant RBAC permissions not currently held/)
    const bound = await alice.ends(
      'create',
      'rolebinding',
      'evil',
      '--clusterrole=cluster-admin',
      `--user=${name}`,
      ...here,
    )
    assert.match(bound.stderr, new RegExp(`rolebindings.rbac.authorization.k8s.io "evil" is forbidden: ${grant}`))
    await alice('create', 'rolebinding', 'fine', '--clusterrole=view', '--user=carol', ...here)
    const none = await alice.ends('create', 'rolebinding', 'none', '--clusterrole=nope', '--user=carol', ...here)
    assert.match(none.stderr, /clusterroles\.rbac\.authorization\.k8s\.io "nope" not found/)
  })

  tell('who was given bind and escalate may', async ({ admin, alice, name, namespace }) => {
    const rules = [
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['create', 'escalate'] },
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['create'] },
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['clusterroles'],
        verbs: ['bind'],
        resourceNames: ['view'],
      },
    ]
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'giver', namespace },
      rules,
    }
    await admin.given(JSON.stringify(role), 'create', '-f', '-')
    await admin('create', 'rolebinding', 'gives', '--role=giver', `--user=${name}`, '-n', namespace)
    await alice('create', 'role', 'anything', '--verb=*', '--resource=secrets', '-n', namespace)
    await alice('create', 'rolebinding', 'views', '--clusterrole=view', '--user=carol', '-n', namespace)
    const other = await alice.ends(
      'create',
      'rolebinding',
      'edits',
      '--clusterrole=edit',
      '--user=carol',
      '-n',
      namespace,
    )
    assert.is(other.code, 1)
  })
}

test.run()
