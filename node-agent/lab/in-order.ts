/** Runs jobs one after another in the order they were given; a failed job does not stop those behind it. */
export type InOrder = <T>(job: () => Promise<T>) => Promise<T>

export function inOrder(): InOrder {
  let last: Promise<unknown> = Promise.resolve()
  return (job) => {
    const result = last.then(job)
    last = result.catch(() => {}) // the job's own caller gets the error
    return result
  }
}
