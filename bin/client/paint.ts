/** Colours where somebody looks at them, plain text elsewhere (NO_COLOR and TERM=dumb count as elsewhere). */
import type { Io, OutputStream } from './io.ts'

export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'bold'
export type Paint = (tone: Tone | undefined, text: string) => string

const CODES: Readonly<Record<Tone, number>> = { good: 32, bad: 31, warn: 33, dim: 2, bold: 1 }

export const plain: Paint = (_tone, text) => text

export function paintFor(stream: OutputStream, env: Io['env']): Paint {
  const isWanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  if (!isWanted) return plain
  return (tone, text) => (tone === undefined || text === '' ? text : `\u001b[${CODES[tone]}m${text}\u001b[0m`)
}

/** Words of systemd and of conditions whose meaning is plain; others have no colour. */
const TONES: Readonly<Record<string, Tone>> = {
  active: 'good',
  running: 'good',
  True: 'good',
  Active: 'good',
  failed: 'bad',
  False: 'bad',
  activating: 'warn',
  deactivating: 'warn',
  reloading: 'warn',
  'auto-restart': 'warn',
  Unknown: 'warn',
  Warning: 'warn',
  Terminating: 'warn',
  inactive: 'dim',
}

export function toneOf(word: string): Tone | undefined {
  return Object.hasOwn(TONES, word) ? TONES[word] : undefined
}

/** Text of others on one line, without the control characters that would drive a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/\u001b\[[0-9;]*m/g, '').replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '?')
}
