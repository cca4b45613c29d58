import { runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { pyramidPrograms, texturePrograms } from './sample-texture-programs.js'
import { scatter } from '../scatter.js'
import { GROUP_SIZE } from '../snippets.js'
import { texelCount, textureLevels, type TextureWrap } from '../../texture/texture-levels.js'

interface Attributes {
  /** Shape of the texture. */
  shape: number[]
  wrap: TextureWrap
  lowerLeft: boolean
}

interface Inputs {
  uv: TensorInfo
  /** With them the texels are a pyramid, without them a texture. */
  derivatives?: TensorInfo | undefined
}

const WRAPS: readonly string[] = ['clamp', 'repeat', 'mirror']

/** What there is to do for look-ups. */
function sampling({ uv, derivatives }: Inputs, { shape, wrap, lowerLeft }: Attributes) {
  const [batch, rows, columns, channels] = shape
  const levels = derivatives ? textureLevels(rows, columns) : [{ rows, columns, start: 0 }]
  const stride = batch === 1 ? 0 : texelCount(levels)
  const perItem = uv.shape[1] * uv.shape[2]
  const count = util.sizeFromShape(uv.shape) / 2
  return {
    count,
    workgroups: workgroupsFor(count, GROUP_SIZE),
    values: [perItem, stride, rows, columns, levels.length, WRAPS.indexOf(wrap), lowerLeft ? 1 : 0],
    programs: (derivatives ? pyramidPrograms : texturePrograms)(channels),
    places: derivatives ? [uv, derivatives] : [uv],
  }
}

/** Look-ups on WebGPU. */
export function sampleOnGpu(
  backend: KernelBackend,
  inputs: Inputs & { texels: TensorInfo },
  { picture }: { picture: TensorInfo },
  attributes: Attributes,
): void {
  const { count, workgroups, values, programs, places } = sampling(inputs, attributes)
  runGpuProgram(backend, programs.look, {
    inputs: [inputs.texels, ...places],
    outputs: [picture],
    uniforms: [count, ...values],
    workgroups,
  })
}

/** Gradient of the coordinates. */
export function sampleCoordinateGradientOnGpu(
  backend: KernelBackend,
  inputs: Inputs & Record<'texels' | 'upstream', TensorInfo>,
  { gradient }: { gradient: TensorInfo },
  attributes: Attributes,
): void {
  const { count, workgroups, values, programs, places } = sampling(inputs, attributes)
  runGpuProgram(backend, programs.coordinates, {
    inputs: [inputs.texels, ...places, inputs.upstream],
    outputs: [gradient],
    uniforms: [count, ...values],
    workgroups,
  })
}

/** Gradient of the texture or the pyramid. */
export function sampleTexelGradientOnGpu(
  backend: KernelBackend,
  inputs: Inputs & { upstream: TensorInfo },
  { gradient }: { gradient: TensorInfo },
  attributes: Attributes,
): void {
  const { count, values, programs, places } = sampling(inputs, attributes)
  // Clamped corners may be one texel, in two levels of one texel as well.
  scatter(backend, programs.texels, [...places, inputs.upstream], values, count, 8, gradient)
}
