import { initEngine } from '@facekit/engine'

// For machines without a GPU: the software adapter in Debian's package chromium. It is read by the Vulkan loader (libvulkan1).
const SOFTWARE_DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json'

/** Whether WebGPU can compute here, on a GPU or in software; then `useBackend('webgpu')` works. Changes the current backend.
 *
 * @example
 * const webgpu = await hasWebgpu()
 * describe.skipIf(!webgpu)('on webgpu', () => ...)
 */
export async function hasWebgpu(): Promise<boolean> {
  const { existsSync } = await import('node:fs')
  if (!process.env.VK_DRIVER_FILES && existsSync(SOFTWARE_DRIVER))
    process.env.VK_DRIVER_FILES = SOFTWARE_DRIVER
  return initEngine({ backend: 'webgpu' }).then(
    () => true,
    () => false,
  )
}
