import { backend, type KernelBackend } from '@tensorflow/tfjs-core'
import { loadNetworkWeights, type NetworkName, type NetworkWeights } from './network-weights.js'

/** A network with its weights on one backend. */
export interface Network {
  dispose(): void
}

const cache = new Map<KernelBackend, Map<NetworkName, Promise<Network>>>()

/** The network of that name for the current backend: loaded on first use, then kept until `disposeNetworks`.
 *
 * A failed load is forgotten, so that it can be tried again.
 */
export async function cachedNetwork<T extends Network>(
  name: NetworkName,
  create: (weights: NetworkWeights) => T,
): Promise<T> {
  const current = backend()
  let networks = cache.get(current)
  if (networks === undefined) cache.set(current, (networks = new Map()))
  let network = networks.get(name) as Promise<T> | undefined
  if (network === undefined) {
    network = loadNetworkWeights(name).then(create)
    networks.set(name, network)
    network.catch(() => networks.delete(name))
  }
  return network
}

/** Frees the memory of all networks that this package has loaded, on every backend; the next call loads them again.
 *
 * Not while a call is running. Embedders of `loadEmbedder` belong to their owners and stay.
 */
export async function disposeNetworks(): Promise<void> {
  const loaded = [...cache.values()].flatMap((networks) => [...networks.values()])
  cache.clear()
  for (const result of await Promise.allSettled(loaded)) {
    if (result.status === 'fulfilled') result.value.dispose()
  }
}
