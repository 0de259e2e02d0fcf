/** The store's answer, or an error when it takes too long. What was given up on may still happen. */
export function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('etcdserver: request timed out')), timeoutMs)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
