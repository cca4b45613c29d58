import { ModelFormatError, readResource, readSafetensors, type SafetensorsFile } from '@facekit/core'

/** Names of the networks' weights files, without `.safetensors`. */
export type NetworkName =
  | 'face-detector'
  | 'tiny-face-detector'
  | 'landmarks'
  | 'embedder'
  | 'segmenter'
  | 'hourglass'
  | 'dense-landmarks'
  | 'mtcnn'

// Written out one by one: bundlers find files only in this very form. The paths are right from src/ and from dist/.
const shipped: Record<NetworkName, () => URL> = {
  'face-detector': () => new URL('../weights/face-detector.safetensors', import.meta.url),
  'tiny-face-detector': () => new URL('../weights/tiny-face-detector.safetensors', import.meta.url),
  landmarks: () => new URL('../weights/landmarks.safetensors', import.meta.url),
  embedder: () => new URL('../weights/embedder.safetensors', import.meta.url),
  segmenter: () => new URL('../weights/segmenter.safetensors', import.meta.url),
  hourglass: () => new URL('../weights/hourglass.safetensors', import.meta.url),
  'dense-landmarks': () => new URL('../weights/dense-landmarks.safetensors', import.meta.url),
  mtcnn: () => new URL('../weights/mtcnn.safetensors', import.meta.url),
}

let folder: URL | undefined

/** Says where the networks' weights files are, for programs whose bundler does not carry files along.
 *
 * By default they are found beside the package's own code. Copy `node_modules/@facekit/annotate/weights` to where your
 * page or program can read it, and call this before anything else.
 *
 * @param location - the folder, as a URL (`https:`, `file:`, or relative to the page); `undefined` for the default
 * @throws {TypeError} when it is no URL
 * @example
 * setWeightsLocation('/assets/facekit-weights/')
 */
export function setWeightsLocation(location: string | URL | undefined): void {
  if (location === undefined) {
    folder = undefined
    return
  }
  const page = (globalThis as { location?: { href?: string } }).location?.href
  const url = new URL(location, page)
  folder = url.pathname.endsWith('/') ? url : new URL(`${url.pathname}/${url.search}`, url)
}

/** A network's weights on the CPU. */
export interface NetworkWeights {
  /** The tensor of that name as float32, a new array.
   *
   * @throws {ModelFormatError} when it is missing, of another shape, or not finite
   */
  read(name: string, shape: readonly number[]): Float32Array
}

/** Loads the weights of a network: from the file system in Node, by `fetch` elsewhere.
 *
 * @throws {ModelFormatError} when the file is missing, damaged or of another network
 */
export async function loadNetworkWeights(network: NetworkName): Promise<NetworkWeights> {
  return parseNetworkWeights(await readShippedWeights(network), network)
}

/** The bytes of a network's weights file.
 *
 * @throws {ModelFormatError} when it cannot be read
 */
export async function readShippedWeights(network: NetworkName): Promise<Uint8Array> {
  return readBytes(folder === undefined ? shipped[network]() : new URL(`${network}.safetensors`, folder))
}

/** Reads a network's weights out of the bytes of its file.
 *
 * @throws {ModelFormatError} when the file is damaged or of another network
 */
function parseNetworkWeights(bytes: Uint8Array, network: NetworkName): NetworkWeights {
  const who = `${network}.safetensors`
  const { metadata, tensors } = readSafetensors(bytes, who)
  if (metadata.format !== 'facekit-network' || metadata.network !== network || metadata.version !== '1') {
    throw new ModelFormatError(
      `${who} holds "${metadata.format ?? 'no format'} ${metadata.network ?? ''} ${metadata.version ?? ''}", expected "facekit-network ${network} 1"; use the weights of this version of @facekit/annotate`,
    )
  }
  const quantization = parseQuantization(metadata, who)
  return { read: (name, shape) => readTensor(tensors, quantization, who, name, shape) }
}

function readTensor(
  tensors: SafetensorsFile['tensors'],
  quantization: Record<string, unknown>,
  who: string,
  name: string,
  shape: readonly number[],
): Float32Array {
  const entry = tensors.get(name)
  if (entry === undefined || entry.shape.join() !== shape.join()) {
    throw new ModelFormatError(
      `${who}: tensor "${name}" is ${entry === undefined ? 'missing' : `[${entry.shape.join(', ')}]`}, expected [${shape.join(', ')}]; install @facekit/annotate again`,
    )
  }
  let values: Float32Array
  if (entry.data instanceof Float32Array) {
    values = entry.data.slice()
  } else {
    const [scale, minimum] = (quantization[name] ?? []) as (number | undefined)[]
    if (!(entry.data instanceof Uint8Array) || typeof scale !== 'number' || typeof minimum !== 'number') {
      throw new ModelFormatError(
        `${who}: tensor "${name}" is ${entry.type} without a quantization; install @facekit/annotate again`,
      )
    }
    values = new Float32Array(entry.data.length)
    for (let i = 0; i < values.length; i++) values[i] = entry.data[i] * scale + minimum
  }
  if (!isAllFinite(values)) {
    throw new ModelFormatError(
      `${who}: tensor "${name}" holds numbers that are not finite; install @facekit/annotate again`,
    )
  }
  return values
}

/** A sum is not finite where a number is not: far faster than a test of each. */
function isAllFinite(values: Float32Array): boolean {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return Number.isFinite(sum)
}

function parseQuantization(metadata: Record<string, string>, who: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(metadata.quantization ?? '{}')
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
  } catch {
    // reported below
  }
  throw new ModelFormatError(
    `${who}: the quantization in the header is no JSON; install @facekit/annotate again`,
  )
}

async function readBytes(url: URL): Promise<Uint8Array> {
  try {
    return await readResource(url)
  } catch (error) {
    throw new ModelFormatError(
      `@facekit/annotate: ${url.href} cannot be read (${error instanceof Error ? error.message : String(error)}); if your bundler does not carry the weights along, copy them and call setWeightsLocation`,
      { cause: error },
    )
  }
}
