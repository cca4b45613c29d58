import { importOptional } from '../import-optional.js'
import { mergeDawnFlags } from './dawn-flags.js'

/** The npm package `webgpu`: Dawn for Node. */
interface WebgpuPackage {
  create(options: string[]): GPU
  globals: Record<string, unknown>
}

// Kept for the life of the process: once what create() returns is collected, Node dies at random.
let instance: GPU | undefined

/** The clock of profiles would otherwise tick every tenth of a millisecond. */
const FLAGS = ['disable-dawn-features=timestamp_quantization']

/** WebGPU for Node: `navigator.gpu` of the npm package `webgpu`, and its constants (`GPUBufferUsage`, ...) as globals.
 *
 * @param flags - for Dawn, merged with ours by name; those of the first call count
 * @returns undefined when the package is not installed
 */
export async function nodeWebgpu(flags: readonly string[] = []): Promise<GPU | undefined> {
  if (instance) return instance
  const webgpu = await importOptional<WebgpuPackage>('webgpu')
  if (!webgpu) return undefined
  instance = webgpu.create(mergeDawnFlags(FLAGS, flags))
  for (const [name, value] of Object.entries(webgpu.globals)) {
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: value })
  }
  // tfjs looks for navigator.gpu. Node 20 has no navigator, later ones have one without gpu.
  if (typeof navigator === 'undefined') {
    const stand = { gpu: instance, userAgent: `Node.js/${process.versions.node.split('.')[0]}` }
    Object.defineProperty(globalThis, 'navigator', { value: stand, configurable: true, writable: true })
  } else if (!navigator.gpu) {
    Object.defineProperty(navigator, 'gpu', { value: instance, configurable: true })
  }
  return instance
}
