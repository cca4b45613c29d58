import { engine } from '@tensorflow/tfjs-core'

/** Creates the instance of a registered backend, without making it the current one.
 *
 * tfjs' own way prints the cause of a failure and returns false, and drops an instance when another backend is being
 * started at the same time.
 *
 * @throws {Error} the cause, when the backend does not start
 */
export async function instantiateBackend(name: string): Promise<void> {
  const { registry, registryFactory } = engine()
  if (registry[name]) return
  const entry = registryFactory[name]
  if (!entry) throw new Error(`no backend "${name}" is registered with tfjs`)
  registry[name] = await entry.factory()
}
