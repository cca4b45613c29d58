import { backend, type KernelBackend } from '@tensorflow/tfjs-core'
import { ValueError } from '@facekit/core'
import {
  loadNetworkWeights,
  readShippedWeights,
  type NetworkName,
  type NetworkWeights,
} from './network-weights.js'

/** A network with its weights on one backend. */
export interface Network {
  dispose(): void
}

interface Entry {
  promise: Promise<Network>
  /** Once it is there. */
  network?: Network
}

const cache = new Map<KernelBackend, Map<NetworkName, Entry>>()

/** The network of that name for the current backend: loaded on first use, then kept until `disposeNetworks`.
 *
 * A failed load is forgotten, so that it can be tried again.
 */
export async function cachedNetwork<T extends Network>(
  name: NetworkName,
  create: (weights: NetworkWeights) => T,
): Promise<T> {
  return cachedFrom(name, loadNetworkWeights, create)
}

/** As `cachedNetwork`, for a network of tfjs-layers, which is made from the bytes of its file. */
export async function cachedLayersNetwork<T extends Network>(
  name: NetworkName,
  create: (bytes: Uint8Array) => T,
): Promise<T> {
  return cachedFrom(name, readShippedWeights, create)
}

async function cachedFrom<T extends Network, W>(
  name: NetworkName,
  read: (name: NetworkName) => Promise<W>,
  create: (weights: W) => T,
): Promise<T> {
  const current = backend()
  let networks = cache.get(current)
  if (networks === undefined) cache.set(current, (networks = new Map()))
  let entry = networks.get(name)
  if (entry === undefined) {
    entry = { promise: load(name, read, create, current) }
    networks.set(name, entry)
  }
  try {
    entry.network = await entry.promise
  } catch (error) {
    if (networks.get(name) === entry) networks.delete(name)
    throw error
  }
  return entry.network as T
}

async function load<T extends Network, W>(
  name: NetworkName,
  read: (name: NetworkName) => Promise<W>,
  create: (weights: W) => T,
  owner: KernelBackend,
): Promise<T> {
  const weights = await read(name)
  if (backend() !== owner) {
    throw new ValueError(
      `@facekit/annotate: the backend changed while the ${name} network was loaded; load it again`,
    )
  }
  return create(weights)
}

/** The network of that name for the current backend, when it has been loaded. */
export function loadedNetwork(name: NetworkName): Network | undefined {
  return cache.get(backend())?.get(name)?.network
}

/** Takes a network out of the cache; whoever calls disposes it. */
export function forgetNetwork(network: Network): void {
  for (const networks of cache.values()) {
    for (const [name, entry] of networks) if (entry.network === network) networks.delete(name)
  }
}

/** Frees the memory of all networks that this package has loaded, on every backend; the next call loads them again.
 *
 * Not while a call is running. Embedders that are still open stop working.
 */
export async function disposeNetworks(): Promise<void> {
  const loaded = [...cache.values()].flatMap((networks) => [...networks.values()])
  cache.clear()
  for (const result of await Promise.allSettled(loaded.map(({ promise }) => promise))) {
    if (result.status === 'fulfilled') result.value.dispose()
  }
}
