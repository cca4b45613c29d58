import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { pyramidPrograms, texturePrograms } from './sample-texture-programs.js'
import { scatter } from '../scatter.js'
import { GROUP_SIZE } from '../snippets.js'
import type { TextureWrap } from '../../texture/texture-arrays.js'
import { texelCount, textureLevels } from '../../texture/texture-levels.js'

interface Attributes {
  /** Shape of the texture. */
  shape: number[]
  wrap: TextureWrap
  lowerLeft: boolean
}

const WRAPS: readonly string[] = ['clamp', 'repeat', 'mirror']

/** What there is to do for look-ups in a texture, or in a pyramid of `texels` texels a picture. */
function sampling(uv: TensorInfo, { shape, wrap, lowerLeft }: Attributes, texels?: number) {
  const [batch, rows, columns, channels] = shape
  const mip = texels !== undefined
  const levels = mip ? textureLevels(rows, columns).length : 1
  const stride = batch === 1 ? 0 : (texels ?? rows * columns)
  const perItem = uv.shape[1] * uv.shape[2]
  return {
    count: util.sizeFromShape(uv.shape) / 2,
    values: [perItem, stride, rows, columns, levels, WRAPS.indexOf(wrap), lowerLeft ? 1 : 0],
    programs: (mip ? pyramidPrograms : texturePrograms)(channels),
  }
}

function look(
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
  texels?: number,
): TensorInfo[] {
  const [, uv] = inputs
  const { count, values, programs } = sampling(uv, attributes, texels)
  const result = makeGpuTensor(backend, [...uv.shape.slice(0, 3), attributes.shape[3]], 'float32')
  const run = { uniforms: [count, ...values], workgroups: workgroupsFor(count, GROUP_SIZE) }
  runGpuProgram(backend, programs.look, { ...run, inputs, outputs: [result] })
  return [result]
}

function coordinateGradient(
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
  texels?: number,
): TensorInfo[] {
  const [, uv] = inputs
  const { count, values, programs } = sampling(uv, attributes, texels)
  const result = makeGpuTensor(backend, uv.shape, 'float32')
  const run = { uniforms: [count, ...values], workgroups: workgroupsFor(count, GROUP_SIZE) }
  runGpuProgram(backend, programs.coordinates, { ...run, inputs, outputs: [result] })
  return [result]
}

function texelGradient(
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
  shape: number[],
  texels?: number,
): TensorInfo[] {
  const { count, values, programs } = sampling(inputs[0], attributes, texels)
  // Clamped corners may be one texel, in two levels of one texel as well.
  return [scatter(backend, programs.texels, inputs, values, count, 8, shape)]
}

/** `sampleTexture` on WebGPU: of the texture and the coordinates. */
export const sampleTextureOnGpu = (backend: KernelBackend, inputs: TensorInfo[], attributes: Attributes) =>
  look(backend, inputs, attributes)

/** Gradient of the coordinates: of the texture, the coordinates and the upstream gradient. */
export const sampleTextureCoordinateGradientOnGpu = (
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
) => coordinateGradient(backend, inputs, attributes)

/** Gradient of the texture: of the coordinates and the upstream gradient. */
export const sampleTextureGradientOnGpu = (
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
) => texelGradient(backend, inputs, attributes, attributes.shape)

/** Look-ups in a pyramid: of the pyramid, the coordinates and their derivatives. */
export const samplePyramidOnGpu = (backend: KernelBackend, inputs: TensorInfo[], attributes: Attributes) =>
  look(backend, inputs, attributes, inputs[0].shape[1])

/** Gradient of the coordinates: of the pyramid, the coordinates, their derivatives and the upstream gradient. */
export const samplePyramidCoordinateGradientOnGpu = (
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
) => coordinateGradient(backend, inputs, attributes, inputs[0].shape[1])

/** Gradient of the pyramid: of the coordinates, their derivatives and the upstream gradient. */
export function samplePyramidTexelGradientOnGpu(
  backend: KernelBackend,
  inputs: TensorInfo[],
  attributes: Attributes,
): TensorInfo[] {
  const { shape } = attributes
  const texels = texelCount(textureLevels(shape[1], shape[2]))
  return texelGradient(backend, inputs, attributes, [shape[0], texels, shape[3]], texels)
}
