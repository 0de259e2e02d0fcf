/** Requests about users and roles, and as users; each is compared with etcd's answer. They build on one another. */
import type { Case } from './etcd-v2-cases.ts'

const ANNOUNCED = 'GET /v2/auth/users'

export const AUTH_CASES: readonly Pick<Case, 'promise' | 'requests'>[] = [
  {
    promise: 'before there is anybody',
    requests: [
      ...['GET /v2/auth/enable', 'HEAD /v2/auth/enable', 'POST /v2/auth/enable', 'PUT /v2/auth/enable'],
      ...['DELETE /v2/auth/enable', ANNOUNCED, 'GET /v2/auth/users/', 'GET /v2/auth/roles', 'GET /v2/auth/roles/root'],
      ...['GET /v2/auth', 'GET /v2/auth/', 'GET /v2/auth/users/a/b', 'GET /v2/auth/users/no', 'GET /v2/auth/usersx'],
      ...['GET /v2/auth/roles/no', 'DELETE /v2/auth/users/no', 'DELETE /v2/auth/roles/no', 'POST /v2/auth/users/no {}'],
      ...['PUT /v2/auth/users', 'GET /v2/auth/users?x=%zz', 'GET /v2/keys/'],
    ],
  },
  {
    promise: 'users that are made, and those that cannot be',
    requests: [
      ...['PUT /v2/auth/users/a {', 'PUT /v2/auth/users/a {"user":"b","password":"x"}', 'PUT /v2/auth/users/a null'],
      ...[
        'PUT /v2/auth/users/a []',
        'PUT /v2/auth/users/a {"user":"a"}',
        'PUT /v2/auth/users/a {"user":"a","password":5}',
      ],
      ...['PUT /v2/auth/users/a {"user":"a","password":"x"}', 'GET /v2/keys/'],
      ...['PUT /v2/auth/users/a {"user":"a"}', 'PUT /v2/auth/users/a {"user":"a"}'],
      ...['PUT /v2/auth/users/a {"user":"a","password":"y"}', 'PUT /v2/auth/users/a {"user":"a","roles":["r"]}'],
      'PUT /v2/auth/users/a {"user":"a","password":"x","roles":["r"]}',
      'PUT /v2/auth/users/c {"user":"c","password":"x","roles":["r","b","r"]}',
      'PUT /v2/auth/users/d {"user":"d","password":"x"} and more',
      'PUT /v2/auth/users/e {"USER":"e","Password":"x","roles":null}',
      'PUT /v2/auth/users/_h {"user":"_h","password":"x"}',
      'PUT /v2/auth/users/%C3%A9%3C {"user":"é<","password":"x"}',
      'PUT /v2/auth/users/slash/ {"user":"slash","password":"x"}',
      ...[ANNOUNCED, 'GET /v2/auth/users/c', 'GET /v2/auth/users/_h', 'GET /v2/auth/users/d/', 'GET /v2/keys/'],
    ],
  },
  {
    promise: 'roles granted to users and taken back',
    requests: [
      'PUT /v2/auth/users/a {"user":"a","grant":["r"],"roles":["s"]}',
      'PUT /v2/auth/users/a {"user":"a","grant":["z","r"]}',
      ...['PUT /v2/auth/users/a {"user":"a","grant":["r"]}', 'PUT /v2/auth/users/a {"user":"a","revoke":["q"]}'],
      ...['PUT /v2/auth/users/a {"user":"a","grant":["m"],"revoke":["z"]}', 'GET /v2/auth/users/a'],
      ...['PUT /v2/auth/users/no {"user":"no","grant":["x"]}', 'PUT /v2/auth/users/a {"user":"a","revoke":["m"]}'],
      ...[ANNOUNCED, 'GET /v2/keys/'],
    ],
  },
  {
    promise: 'roles that are made, granted keys and lose them',
    requests: [
      ...[
        'PUT /v2/auth/roles/r {"role":"r"}',
        'PUT /v2/auth/roles/r {"role":"r"}',
        'PUT /v2/auth/roles/r {"role":"x"}',
      ],
      'PUT /v2/auth/roles/s {"role":"s","permissions":{"kv":{"read":["/a"],"write":["/b*"]}}}',
      'PUT /v2/auth/roles/s {"role":"s","permissions":{"kv":{"read":["/a"]}},"grant":{"kv":{"read":["/a"]}}}',
      'PUT /v2/auth/roles/s {"role":"s","grant":{"kv":{"read":["/a"]}}}',
      'PUT /v2/auth/roles/s {"role":"s","grant":{"kv":{"write":["/b*"]}}}',
      'PUT /v2/auth/roles/s {"role":"s","grant":{"kv":{"read":["/0"],"write":["/c","/a"]}}}',
      'PUT /v2/auth/roles/s {"role":"s","revoke":{"kv":{"read":["/nope"]}}}',
      'PUT /v2/auth/roles/s {"role":"s","revoke":{"kv":{"read":["/0","/a"]}}}',
      'PUT /v2/auth/roles/t {"role":"t","grant":{"kv":{"read":[]}}}',
      'PUT /v2/auth/roles/root {"role":"root","permissions":{"kv":{"read":["/0"]}}}',
      'PUT /v2/auth/roles/root {"role":"root","grant":{"kv":{"read":["/0"]}}}',
      'PUT /v2/auth/roles/no {"role":"no","grant":{"kv":{"read":["/0"]}}}',
      ...['DELETE /v2/auth/roles/root', 'DELETE /v2/auth/roles/t', 'GET /v2/auth/roles', 'GET /v2/auth/users/a'],
      ...['GET /v2/auth/roles/s', 'PUT /v2/auth/roles/s nonsense', ANNOUNCED, 'GET /v2/keys/'],
    ],
  },
  {
    promise: 'enabling, and who is who then',
    requests: [
      ...['PUT /v2/auth/enable', 'PUT /v2/auth/users/root {"user":"root","password":"p"}'],
      ...['PUT /v2/auth/users/root {"user":"root","password":"q"}', 'GET /v2/keys/ex', 'PUT /v2/keys/pub/x value=1'],
      ...['PUT /v2/keys/b1 value=1', 'PUT /v2/keys/a value=1', 'PUT /v2/keys/c value=1', 'PUT /v2/keys/sec/x value=1'],
      ...['GET a:bad@/v2/keys/a', 'PUT /v2/auth/enable', 'PUT /v2/auth/enable', 'PUT root:q@/v2/auth/enable'],
      ...['GET /v2/auth/enable', ANNOUNCED, 'GET root:p@/v2/auth/users', 'GET a:y@/v2/auth/users'],
      ...['GET root:q@/v2/auth/users', 'GET root:q@/v2/auth/roles', 'GET nobody:q@/v2/auth/roles'],
      ...['GET /v2/keys/a', 'PUT /v2/keys/a value=guest', 'GET a:bad@/v2/keys/a', 'GET a:y@/v2/keys/a'],
      ...[
        'GET a:bad@/v2/keys/a?wait=zzz',
        'POST /v2/members {}',
        'DELETE root:q@/v2/auth/users/root',
        'GET /v2/members/no',
      ],
    ],
  },
  {
    promise: 'a role lets its users do what it says, and no more',
    requests: [
      'PUT root:q@/v2/auth/users/a {"user":"a","grant":["s"]}',
      ...[
        'GET a:y@/v2/keys/a',
        'PUT a:y@/v2/keys/a value=2',
        'PUT a:y@/v2/keys/b1 value=2',
        'PUT a:y@/v2/keys/b value=2',
      ],
      ...[
        'PUT a:y@/v2/keys/bb/c value=2',
        'PUT a:y@/v2/keys/c value=2',
        'PUT a:y@/v2/keys/c/ value=2',
        'GET a:y@/v2/keys/b1',
      ],
      ...['DELETE a:y@/v2/keys/bb?recursive=true', 'DELETE a:y@/v2/keys/c?recursive=true', 'DELETE a:y@/v2/keys/c'],
      ...['POST a:y@/v2/keys/b value=x', 'POST a:y@/v2/keys/bq value=x', 'GET a:y@/v2/keys', 'GET a:y@/v2/keys/'],
      ...['GET a:y@/v2/keys/a?wait=true&waitIndex=1', 'HEAD a:y@/v2/keys/b1', 'GET root:q@/v2/keys/b1?quorum=true'],
      ...[
        'PUT a:y@/v2/auth/users/a {"user":"a","grant":["root"]}',
        'GET a:y@/v2/auth/users/a',
        'GET a:y@/v2/auth/enable',
      ],
    ],
  },
  {
    promise: 'guests do what the role guest says',
    requests: [
      'PUT root:q@/v2/auth/roles/guest {"role":"guest","revoke":{"kv":{"read":["/*"],"write":["/*"]}}}',
      'PUT root:q@/v2/auth/roles/guest {"role":"guest","grant":{"kv":{"read":["/pub*","/pub"],"write":["/pub/x"]}}}',
      ...[
        'GET /v2/keys/pub?recursive=true',
        'GET /v2/keys/pub/x',
        'PUT /v2/keys/pub/x value=2',
        'PUT /v2/keys/pub/y value=2',
      ],
      ...['GET /v2/keys/sec/x', 'GET /v2/keys/sec?recursive=true&wait=true&waitIndex=1', 'GET /v2/keys/public'],
      ...['GET /v2/keys/pub?recursive=true&wait=true&waitIndex=1', 'GET /v2/keys/', 'GET root:q@/v2/keys/?sorted=true'],
      ...['DELETE root:q@/v2/auth/roles/guest', 'GET /v2/keys/pub/x', 'GET root:q@/v2/keys/pub/x'],
    ],
  },
  {
    promise: 'users that go, and disabling',
    requests: [
      ...[
        'DELETE /v2/auth/users/c',
        'DELETE root:q@/v2/auth/users/c',
        'DELETE root:q@/v2/auth/users/c',
        'DELETE /v2/auth/enable',
      ],
      ...[
        'DELETE root:q@/v2/auth/enable',
        'DELETE root:q@/v2/auth/enable',
        'GET a:bad@/v2/keys/a',
        'GET /v2/keys/sec/x',
      ],
      ...['DELETE /v2/auth/users/root', 'PUT /v2/auth/enable', 'GET /v2/auth/roles', 'DELETE /v2/auth/roles/s'],
      ...[
        'GET /v2/auth/users/a',
        'GET /v2/keys/?recursive=true&sorted=true',
        'GET /v2/keys/_auth',
        'GET /v2/keys/?wait=true&recursive=true&waitIndex=4',
      ],
    ],
  },
]
