import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { changedRole, changedUser, roleAllows } from '../../../../../../api-server/legacy/etcd-v2/auth/merge.ts'
import { AuthRefusal } from '../../../../../../api-server/legacy/etcd-v2/auth/refusal.ts'

const access = suite('whom a role lets do what')

const ROLE = { role: 'r', permissions: { read: ['/a', '/dir/*', '/é*', ''], write: null } }
const ALLOWED = [
  { key: '/a', allowed: true },
  { key: '/a/', allowed: false },
  { key: '/a', recursive: true, allowed: false },
  { key: '/ab', allowed: false },
  { key: '/dir', allowed: false },
  { key: '/dir/', recursive: true, allowed: true },
  { key: '/dir/x/y', recursive: true, allowed: true },
  { key: '/\u00c3\u00a9t', allowed: true },
  { key: '/b', allowed: false },
  { key: '/a', write: true, allowed: false },
]
for (const { key, write = false, recursive = false, allowed } of ALLOWED)
  access(`${JSON.stringify({ key, write, recursive })}: ${allowed}`, () =>
    assert.is(roleAllows(ROLE, { key, write, recursive }), allowed),
  )

access('the role root may do everything', () => {
  const root = { role: 'root', permissions: { read: null, write: null } }
  assert.ok(roleAllows(root, { key: '/x', write: true, recursive: true }))
})

access.run()

const changes = suite('changes of users and roles')
const isRefused = (message: RegExp) => (error: unknown) => error instanceof AuthRefusal && message.test(error.message)
const user = { user: 'u', password: 'hash', roles: ['b', 'a'] }

changes('granted roles are sorted in, revoked ones taken out, the password kept', () => {
  const changed = changedUser(user, { password: '', grant: ['c'], revoke: ['b'] })
  assert.equal(changed, { user: 'u', password: 'hash', roles: ['a', 'c'] })
})

changes('what is there cannot be granted, what is not cannot be revoked, nothing is no change', () => {
  const none = { password: '', grant: null, revoke: null }
  assert.throws(() => changedUser(user, { ...none, grant: ['a'] }), isRefused(/duplicate role a for user u/))
  assert.throws(() => changedUser(user, { ...none, revoke: ['x'] }), isRefused(/ungranted role x/))
  assert.throws(() => changedUser({ ...user, roles: ['a'] }, none), isRefused(/User not updated/))
})

changes(
  'a role is granted what it has not; revoking what it has not is no fault, unless nothing is left to change',
  () => {
    const grant = { read: ['/b'], write: ['/w'] }
    assert.equal(changedRole({ role: 'r', permissions: { read: ['/c'], write: null } }, { grant }).permissions, {
      read: ['/b', '/c'],
      write: ['/w'],
    })
    const role = { role: 'r', permissions: { read: ['/a'], write: [] } }
    assert.equal(changedRole(role, { revoke: { read: ['/a', '/x'], write: null } }).permissions, {
      read: [],
      write: [],
    })
    assert.throws(() => changedRole(role, { revoke: { read: ['/x'], write: null } }), isRefused(/Role not updated/))
    assert.throws(
      () => changedRole(role, { grant: { read: ['/a'], write: [] } }),
      isRefused(/duplicate read permission/),
    )
  },
)

changes.run()
