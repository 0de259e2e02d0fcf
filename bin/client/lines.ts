/** Bytes cut into lines. Reads on only when its consumer asks for more: that is the back-pressure of every stream. */

/** Throws when a line is longer than `maxBytes`. What follows the last line break is no line: it was cut off. */
export async function* splitLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let rest: Uint8Array[] = []
  let restBytes = 0
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]).toString('utf8')
      rest = []
      restBytes = 0
      start = end + 1
    }
    rest.push(chunk.subarray(start))
    restBytes += chunk.length - start
    if (restBytes > maxBytes) throw new Error(`the server sent a line of more than ${maxBytes} bytes`)
  }
}

/**
 * The same in batches, as many lines as came together: for logs, where a call for each line would cost more than the line.
 * A line longer than `maxBytes` is left out, and `onTooLong` told.
 */
export async function* lineBatches(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onTooLong: () => void,
): AsyncGenerator<readonly string[]> {
  let rest: Buffer[] = []
  let restBytes = 0
  const keep = (piece: Buffer): void => {
    restBytes += piece.length
    if (restBytes <= maxBytes) rest.push(piece)
    else rest = []
  }
  for await (const bytes of source) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const end = chunk.lastIndexOf(10)
    if (end < 0) {
      keep(chunk)
      continue
    }
    const begin = restBytes > maxBytes ? chunk.indexOf(10) + 1 : 0
    if (begin > 0) onTooLong()
    const whole = Buffer.concat([...rest, chunk.subarray(begin, Math.max(begin, end))]).toString('utf8')
    rest = []
    restBytes = 0
    keep(chunk.subarray(end + 1))
    yield whole.split('\n')
  }
}
