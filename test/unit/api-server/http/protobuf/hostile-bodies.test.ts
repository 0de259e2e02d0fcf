import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeProtobuf } from '../../../../../api-server/http/protobuf/index.ts'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import recorded from '../../../../fixtures/protobuf/kubectl-1.32.json' with { type: 'json' }

const RUNS = 5_000

const bodies = Object.values(recorded).map(({ base64 }) => Buffer.from(base64, 'base64'))

/** A field with bytes in it, as the wire has it. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 128)
  }
}

const envelope = (apiVersion: string, kind: string, content: Buffer) =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))])),
    field(2, content),
  ])

const configMap = (content: Buffer) => envelope('v1', 'ConfigMap', content)

/** Decoded, or refused with a status: anything else is a crash. */
function survives(body: Uint8Array): boolean {
  try {
    return typeof decodeProtobuf(body).kind === 'string'
  } catch (error) {
    return error instanceof StatusError && [400, 415].includes(error.status.code)
  }
}

function refusal(body: Uint8Array): string {
  try {
    decodeProtobuf(body)
  } catch (error) {
    if (error instanceof StatusError) return `${error.status.code} ${error.message}`
    throw error
  }
  return 'decoded'
}

const hostile = suite('protobuf that nobody meant')

hostile('random bytes never crash the decoder', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => survives(Buffer.concat([Buffer.from('k8s\0'), bytes]))),
    { numRuns: RUNS },
  )
})

hostile('a real body with any bytes changed never crashes the decoder', () => {
  const change = fc.record({ at: fc.nat(400), to: fc.nat(255) })
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.array(change, { minLength: 1, maxLength: 8 }), (body, changes) => {
      const broken = Buffer.from(body)
      for (const { at, to } of changes) broken[at % broken.length] = to
      return survives(broken)
    }),
    { numRuns: RUNS },
  )
})

hostile('a real body cut anywhere is decoded or refused', () => {
  for (const body of bodies)
    for (let length = 0; length < body.length; length++) assert.ok(survives(body.subarray(0, length)))
})

hostile('what is no envelope is refused with the reason', () => {
  assert.match(refusal(Buffer.from('{}')), '400 protobuf parse error: it does not begin with "k8s\\0"')
  assert.match(refusal(Buffer.from('k8s\0')), 'it does not say its apiVersion and kind')
  assert.match(refusal(configMap(Buffer.from([0x0a, 0x7f]))), 'it ends 127 bytes too early')
  assert.match(refusal(configMap(Buffer.from([0x0b]))), 'wire type 3')
  assert.match(refusal(configMap(Buffer.from([0x08, 0x01]))), 'a number where a message or text belongs')
  assert.match(refusal(configMap(field(1, field(1, Buffer.from([0xff, 0xfe]))))), 'text that is not UTF-8')
  assert.match(refusal(configMap(Buffer.alloc(12, 0xff))), 'a number longer than 64 bits')
})

hostile('a length of almost 2^64 is refused, not allocated', () => {
  const length = Buffer.concat([Buffer.from([0x0a]), Buffer.alloc(9, 0xff), Buffer.from([0x01])])
  assert.match(refusal(configMap(length)), 'bytes too early')
})

hostile('more fields than any object has are refused within a second', () => {
  const start = performance.now()
  const nothing = field(2, Buffer.alloc(0))
  assert.match(refusal(configMap(Buffer.concat(Array.from({ length: 400_000 }, () => nothing)))), 'more than')
  assert.ok(performance.now() - start < 1_000)
})

hostile('a key named __proto__ is a key', () => {
  const entry = Buffer.concat([field(1, Buffer.from('__proto__')), field(2, Buffer.from('x'))])
  const { data } = decodeProtobuf(configMap(field(2, entry))) as { data: Record<string, string> }
  assert.ok(Object.hasOwn(data, '__proto__'))
  assert.is(Object.getPrototypeOf(data), Object.prototype)
})

hostile('the name of a kind is shown only in part when it is long', () => {
  const text = refusal(envelope('v1', 'K'.repeat(100_000), Buffer.alloc(0)))
  assert.match(text, '415 KKKK')
  assert.ok(text.length < 400)
})

hostile('fields that no table knows are passed over', () => {
  const unknown = Buffer.concat([Buffer.from([0xf9, 0x01]), Buffer.alloc(8), field(99, Buffer.from('x'))])
  assert.equal(decodeProtobuf(configMap(unknown)), { apiVersion: 'v1', kind: 'ConfigMap' })
})

hostile.run()
