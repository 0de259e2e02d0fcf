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
