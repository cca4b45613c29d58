let last: Promise<unknown> = Promise.resolve()

/** Runs asynchronous work after all work that was passed here before: tfjs loses a backend that starts while another does. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work)
  last = result.catch(() => undefined)
  return result
}
