import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bindLines,
  checkSources,
  installFolders,
  putFiles,
  putUnits,
} from '../../../../node-agent/lab/machine-files.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite("a machine's files")

async function refusal(call: () => Promise<unknown>): Promise<string> {
  try {
    await call()
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

test('files get their content and mode, and replace what was there', async () => {
  const dir = tempDir()
  await putFiles(dir, [{ path: '/etc/a/b', content: 'old' }])
  await putFiles(dir, [{ path: '/etc/a/b', content: Uint8Array.of(1, 2), mode: 0o600 }])
  assert.equal([...readFileSync(join(dir, 'etc/a/b'))], [1, 2])
  assert.is(statSync(join(dir, 'etc/a/b')).mode & 0o777, 0o600)
})

test('paths that a machine does not keep are refused, and then nothing is written', async () => {
  const dir = tempDir()
  for (const path of ['/usr/x', '/run/x', 'etc/x', '/etc', '/etc/', '/etc/../usr/x', '/etc/x/', '/']) {
    const files = [
      { path: '/etc/first', content: '' },
      { path, content: '' },
    ]
    assert.match(await refusal(() => putFiles(dir, files)), /not a plain path/, path)
  }
  assert.not.ok(existsSync(join(dir, 'etc/first')))
})

test('a link that the machine has put there leads nothing out of it', async () => {
  const [dir, outside] = [tempDir(), tempDir()]
  mkdirSync(join(dir, 'var'))
  symlinkSync(outside, join(dir, 'var/run'))
  assert.match(await refusal(() => putFiles(dir, [{ path: '/var/run/x', content: '' }])), /leads out of the machine/)
  assert.not.ok(existsSync(join(outside, 'x')))
})

test('a link in the place of a file is replaced, not followed', async () => {
  const dir = tempDir()
  mkdirSync(join(dir, 'etc'))
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'etc/x'))
  await putFiles(dir, [{ path: '/etc/x', content: 'new' }])
  assert.is(readFileSync(join(dir, 'etc/x'), 'utf8'), 'new')
  assert.not.ok(existsSync(join(dir, 'elsewhere')))
})

test('an enabled unit is linked where its [Install] section says', async () => {
  const dir = tempDir()
  const content = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=a.target b.target\nRequiredBy=c.target\n'
  await putUnits(dir, [
    { name: 'web@1.service', content, enable: true },
    { name: 'idle.service', content },
  ])
  const at = (path: string) => join(dir, 'etc/systemd/system', path)
  for (const folder of ['a.target.wants', 'b.target.wants', 'c.target.requires'])
    assert.is(readlinkSync(at(`${folder}/web@1.service`)), '/etc/systemd/system/web@1.service')
  assert.ok(existsSync(at('idle.service')))
  assert.not.ok(existsSync(at('a.target.wants/idle.service')))
  assert.match(await refusal(() => putUnits(dir, [{ name: '../x.service', content }])), /not a unit file's name/)
})

test('only the [Install] section is asked, and without an answer it is multi-user.target', () => {
  assert.equal(installFolders('[Unit]\nWantedBy=x.target\n'), ['multi-user.target.wants'])
  assert.equal(installFolders('[Install]\nAlias=y.service\n[Service]\nWantedBy=x.target\n'), [
    'multi-user.target.wants',
  ])
  assert.equal(installFolders('[Install]\nWantedBy=timers.target\n'), ['timers.target.wants'])
})

test('binds are two lines each; paths that could not be read back, or that cover the machine, are refused', () => {
  assert.is(bindLines([{ source: '/a b/c', target: '/opt/x' }]), '/a b/c\n/opt/x\n')
  const bad = [
    ['relative', '/opt/x'],
    ['/a', 'opt/x'],
    ['/a\nb', '/opt/x'],
    ['/a', '/opt/../usr'],
    ['/a', '/usr/lib/x'],
    ['/a', '/usr'],
    ['/a', '/proc/x'],
    ['/a', '/'],
  ]
  for (const [source = '', target = ''] of bad)
    assert.throws(() => bindLines([{ source, target }]), /cannot bind/, target)
})

test('a source that is not there is named', async () => {
  const source = join(tempDir(), 'gone')
  assert.match(await refusal(() => checkSources([{ source, target: '/opt/x' }])), `there is no '${source}' to bind`)
})

test.run()
