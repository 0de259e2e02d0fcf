import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemAccounts } from '../../../../node-agent/lab/accounts.ts'

const test = suite('accounts of a machine')

const PASSWD = `root:$6$secret:0:0:root:/root:/bin/bash
messagebus:x:100:107::/nonexistent:/usr/sbin/nologin
alice:x:1000:1000:Alice:/home/alice:/bin/zsh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
# a remark
+::::::
`
const GROUP = `root:x:0:
systemd-journal:x:101:alice,messagebus
messagebus:x:107:
alice:x:1000:
nogroup:x:65534:
`

test('system accounts are kept with their ids, people are not', () => {
  const { passwd } = systemAccounts(PASSWD, GROUP)
  assert.equal(passwd.match(/^[^:]+/gm), ['root', 'messagebus', 'nobody'])
  assert.match(passwd, 'messagebus:x:100:107::/nonexistent:/usr/sbin/nologin\n')
})

test('groups lose the people in them', () => {
  const { group } = systemAccounts(PASSWD, GROUP)
  assert.match(group, 'systemd-journal:x:101:messagebus\n')
  assert.not.match(group, 'alice')
})

test('no password of this box gets into a machine, and every account is locked', () => {
  const all = systemAccounts(PASSWD, GROUP)
  assert.not.match(Object.values(all).join(''), 'secret')
  for (const line of all.shadow.trim().split('\n')) assert.is(line.split(':')[1], '*')
})

test.run()
