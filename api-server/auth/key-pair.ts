import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeDurable } from './durable-file.ts'

/** A certificate (PEM, the leaf first) and its private key (PEM, PKCS #8). */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

const KEY_MODE = 0o600
const CERTIFICATE_MODE = 0o644
const generate = promisify(generateKeyPair)

/** A fresh ECDSA P-256 private key, PEM (PKCS #8). */
export async function newKey(): Promise<string> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The public half of a PEM private key. */
export function publicKeyOf(key: string): KeyObject {
  return createPublicKey(createPrivateKey(key))
}

/** The key of `<folder>/<name>.key`, or undefined when there is none that can be read as one. */
export async function readKey(folder: string, name: string): Promise<string | undefined> {
  const text = await readText(join(folder, `${name}.key`))
  return text !== undefined && parses(() => createPrivateKey(text)) ? text : undefined
}

/** The certificate of `<folder>/<name>.crt` (its chain included), or undefined when there is none that can be read. */
export async function readCertificate(folder: string, name: string): Promise<string | undefined> {
  const text = await readText(join(folder, `${name}.crt`))
  return text !== undefined && parses(() => new X509Certificate(text)) ? text : undefined
}

/** The pair on disk, or undefined unless both halves are there and belong together (a crash may have split them). */
export async function readPair(folder: string, name: string): Promise<KeyPair | undefined> {
  const [key, certificate] = await Promise.all([readKey(folder, name), readCertificate(folder, name)])
  if (key === undefined || certificate === undefined || !belongTogether({ certificate, key })) return undefined
  return { certificate, key }
}

export function belongTogether({ certificate, key }: KeyPair): boolean {
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
}

export function writeKey(folder: string, name: string, key: string): Promise<void> {
  return writeDurable(join(folder, `${name}.key`), key, KEY_MODE)
}

export function writeCertificate(folder: string, name: string, certificate: string): Promise<void> {
  return writeDurable(join(folder, `${name}.crt`), certificate, CERTIFICATE_MODE)
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`reading ${path}`, { cause: error })
  }
}

function parses(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false // the question was whether it can be read; why not is of no use to the caller
  }
}
