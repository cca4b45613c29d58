// Loaded before a command: a GPU device that it asks for is lost FACEKIT_LOSE_AFTER milliseconds later.
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../packages/engine/package.json', import.meta.url))
const { GPUAdapter } = require('webgpu').globals
const { requestDevice } = GPUAdapter.prototype
GPUAdapter.prototype.requestDevice = async function (...options) {
  const device = await requestDevice.apply(this, options)
  setTimeout(() => {
    console.error('the device is taken away')
    device.destroy()
  }, Number(process.env.FACEKIT_LOSE_AFTER)).unref()
  return device
}
