/** Passwords are kept as scrypt hashes. Trying one is made expensive on purpose, so few are tried at once. */
import { createHmac, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/** 16 MiB and some tens of milliseconds each; beyond these many the next are told that the server is busy. */
const COST = { N: 16_384, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const
const MAX_AT_ONCE = 2
const MAX_WAITING = 500
const HASH_BYTES = 32

export interface Passwords {
  /** Both reject when too many wait. `password`: bytes. */
  hash(password: Buffer): Promise<string>
  /** `owner` remembers what was right, so that a client with the right password pays once. */
  verify(owner: object, hashed: string, password: Buffer): Promise<boolean>
}

export function createPasswords(): Passwords {
  const inTurn = createTurns()
  const secret = randomBytes(32)
  const right = new WeakMap<object, Buffer>()
  return {
    hash: async (password) => {
      const salt = randomBytes(16)
      const derived = await inTurn(() => derive(password, salt, COST))
      return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), derived.toString('base64')].join('$')
    },
    verify: async (owner, hashed, password) => {
      const digest = createHmac('sha256', secret).update(password).digest()
      const known = right.get(owner)
      if (known && timingSafeEqual(known, digest)) return true
      const [, N, r, p, salt = '', expected = ''] = hashed.split('$')
      const cost = { ...COST, N: Number(N), r: Number(r), p: Number(p) }
      const derived = await inTurn(() => derive(password, Buffer.from(salt, 'base64'), cost))
      const isRight = timingSafeEqual(derived, Buffer.from(expected, 'base64'))
      if (isRight) right.set(owner, digest)
      return isRight
    },
  }
}

function derive(password: Buffer, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, cost, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let busy = 0
  return async (work) => {
    if (busy >= MAX_AT_ONCE) {
      if (waiting.length >= MAX_WAITING) throw new Error('too many passwords are being checked')
      await new Promise<void>((go) => waiting.push(go))
    } else busy += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else busy -= 1
    }
  }
}
