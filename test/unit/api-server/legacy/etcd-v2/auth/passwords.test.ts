import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createPasswords } from '../../../../../../api-server/legacy/etcd-v2/auth/passwords.ts'

const test = suite('passwords of etcd v2 users')
const bytes = (text: string) => Buffer.from(text)

test('the right one is right, at once and again; others never are, and equal ones have unlike hashes', async () => {
  const passwords = createPasswords()
  const [hashed, again] = await Promise.all([passwords.hash(bytes('secret')), passwords.hash(bytes('secret'))])
  assert.is.not(hashed, again)
  assert.not.match(hashed, 'secret')
  const owner = {}
  for (const [text, isRight] of [
    ['wrong', false],
    ['secret', true],
    ['secret', true],
    ['wrong', false],
  ] as const)
    assert.is(await passwords.verify(owner, hashed, bytes(text)), isRight, text)
  assert.not.ok(await passwords.verify({}, hashed, bytes('')))
})

test('a flood is refused before it costs memory, and those before it are answered', async () => {
  const passwords = createPasswords()
  const hashed = await passwords.hash(bytes('secret'))
  const tries = Array.from({ length: 510 }, () =>
    passwords.verify({}, `scrypt$2$1$1$$${hashed.split('$')[5]}`, bytes('x')),
  )
  const ended = await Promise.allSettled(tries)
  assert.is(ended.filter(({ status }) => status === 'rejected').length, 8, 'two at work, five hundred wait')
  assert.ok(await passwords.verify({}, hashed, bytes('secret')))
})

test.run()
