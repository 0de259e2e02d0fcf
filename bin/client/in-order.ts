/** Work on several things at once whose results are told in the order of the things. */

/**
 * Calls `work` for each item, at most `limit` at a time, and `tell` with each result in order, as early as possible.
 * `work` must not reject; when `tell` does, no further item is begun.
 */
export async function inOrder<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
  tell: (result: R) => Promise<void>,
): Promise<void> {
  const running: Promise<R>[] = []
  let next = 0
  for (let told = 0; told < items.length; told++) {
    // Items are begun only that far ahead of the telling: what waits to be told is bounded too.
    for (; next < items.length && next < told + limit; next++) running.push(work(items[next] as T))
    await tell(await (running.shift() as Promise<R>))
  }
}
