/** Runs `fn` over `items`, at most `limit` at once. All are tried; the first error is thrown at the end. */
export async function forEachConcurrently<T>(
  items: readonly T[],
  limit: number,
  fn: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const errors: unknown[] = []
  const work = async (): Promise<void> => {
    for (const item of rest) await fn(item).catch((error: unknown) => errors.push(error))
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  if (errors.length > 0) throw errors[0]
}
