import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hierarchies } from '../../../../node-agent/lab/cgroup-hierarchies.ts'

const test = suite('cgroup hierarchies')

test('a hybrid machine: every controller, systemd by name, and the v2 tree beside them', () => {
  const mountinfo = [
    '30 25 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755',
    '31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate',
    '32 30 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd',
    '33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct',
    '34 30 0:30 / /sys/fs/cgroup/memory rw shared:13 - cgroup cgroup rw,memory',
    '36 25 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
  ].join('\n')
  const own =
    '5:memory:/user.slice/user-0.slice\n4:cpu,cpuacct:/\n1:name=systemd:/user.slice/s-1.scope\n0::/user.slice/s-1.scope\n'
  const seen = hierarchies(mountinfo, own).map(({ version, name, mountOptions, base }) => [
    version,
    name,
    mountOptions,
    base,
  ])
  assert.equal(seen, [
    [2, 'unified', '-', '/sys/fs/cgroup/unified/user.slice/s-1.scope'],
    [1, 'systemd', 'none,name=systemd,xattr', '/sys/fs/cgroup/systemd/user.slice/s-1.scope'],
    [1, 'cpu,cpuacct', 'cpu,cpuacct', '/sys/fs/cgroup/cpu,cpuacct/'],
    [1, 'memory', 'memory', '/sys/fs/cgroup/memory/user.slice/user-0.slice'],
  ])
})

test('a pure v2 machine: one hierarchy, and the lab at its top, where the rules of v2 let controllers in', () => {
  const mountinfo =
    '31 25 0:27 / /sys/fs/cgroup rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot'
  assert.equal(hierarchies(mountinfo, '0::/user.slice/user-0.slice/session-1.scope\n'), [
    { version: 2, mountPoint: '/sys/fs/cgroup', base: '/sys/fs/cgroup', name: '.', mountOptions: '-' },
  ])
})

test('in a container the own folder is looked for below what the mount shows', () => {
  const mountinfo = '50 40 0:30 /docker/ab /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n'
  assert.is(hierarchies(mountinfo, '3:pids:/docker/ab/inner\n')[0]?.base, '/sys/fs/cgroup/pids/inner')
  assert.is(hierarchies(mountinfo, '3:pids:/elsewhere\n')[0]?.base, '/sys/fs/cgroup/pids/')
})

test('a hierarchy that is mounted twice is used once', () => {
  const line = (at: string) => `50 40 0:30 / ${at} rw - cgroup cgroup rw,pids`
  const seen = hierarchies(`${line('/sys/fs/cgroup/pids')}\n${line('/other/pids')}`, '3:pids:/\n')
  assert.equal(
    seen.map(({ mountPoint }) => mountPoint),
    ['/sys/fs/cgroup/pids'],
  )
})

test('a machine without cgroups has none', () => {
  assert.equal(hierarchies('36 25 8:1 / / rw - ext4 /dev/sda1 rw\n', ''), [])
})

test.run()
