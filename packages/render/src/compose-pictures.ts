import { ShapeError, assertInRange, assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import { add, clipByValue, mul, pow, slice, sub, tidy, type Tensor4D } from '@tensorflow/tfjs-core'
import { composeBackward, composeForward } from './cpu/compose.js'
import { encodeGamma } from './encode-gamma.js'
import { composeGradientOnGpu, composeOnGpu } from './webgpu/compose.js'

/** What a picture shows beside the face, encoded 0..1: a grey, red green and blue, or a picture `[B, H, W, 3]`. */
export type Background = number | readonly [number, number, number] | Tensor4D

/** The pictures of a rendering. */
export interface Pictures {
  image: Tensor4D
  diffuse: Tensor4D
  specular: Tensor4D
  mask: Tensor4D
  innerMouth: Tensor4D
}

interface Attributes {
  /** Linear colour behind the face, where the background is not a picture. */
  color: readonly number[]
}

const gradientKernel = defineKernel({
  name: 'FacekitComposePicturesGradient',
  inputs: {
    surface: 'float32',
    background: 'float32?',
    toImage: 'float32?',
    toDiffuse: 'float32?',
    toSpecular: 'float32?',
    toMask: 'float32?',
    toInnerMouth: 'float32?',
    image: 'float32',
    diffuse: 'float32',
    specular: 'float32',
  },
  outputs: ({ surface }) => ({ surface: float32(surface) }),
  cpu(inputs, { surface }, _shapes, { color }: Attributes) {
    const {
      background = Float32Array.from(color),
      toImage,
      toDiffuse,
      toSpecular,
      toMask,
      toInnerMouth,
    } = inputs
    const upstream = {
      image: toImage,
      diffuse: toDiffuse,
      specular: toSpecular,
      mask: toMask,
      innerMouth: toInnerMouth,
    }
    composeBackward(inputs.surface, background, inputs, upstream, surface)
  },
  webgpu: (backend, inputs, { surface }, { color }) => composeGradientOnGpu(backend, inputs, surface, color),
})

const kernel = defineKernel({
  name: 'FacekitComposePictures',
  inputs: { surface: 'float32', background: 'float32?' },
  outputs({ surface: [batch, height, width] }) {
    const [color, share] = [float32([batch, height, width, 3]), float32([batch, height, width, 1])]
    return { image: color, diffuse: color, specular: color, mask: share, innerMouth: share }
  },
  saves: ['surface', 'background', 'image', 'diffuse', 'specular'],
  constants: ['background'],
  cpu: ({ surface, background }, pictures, _shapes, { color }: Attributes) =>
    composeForward(surface, background ?? Float32Array.from(color), pictures),
  webgpu: (backend, inputs, pictures, { color }) => composeOnGpu(backend, inputs, pictures, color),
  operations({ surface, background }, { color }) {
    const part = (start: number, width: number) =>
      slice(surface as Tensor4D, [0, 0, 0, start], [-1, -1, -1, width])
    const [diffuse, specular, mask] = [part(0, 3), part(3, 3), part(6, 1)]
    const behind = mul(sub(1, mask), background ?? color)
    return {
      image: encodeGamma(add(add(diffuse, specular), behind)),
      diffuse: encodeGamma(diffuse),
      specular: encodeGamma(specular),
      mask,
      innerMouth: part(7, 1),
    }
  },
  recordsOperations: true,
  gradient: ({ upstream, saved, attributes }) => ({
    surface: () =>
      gradientKernel(
        {
          ...saved,
          toImage: upstream.image,
          toDiffuse: upstream.diffuse,
          toSpecular: upstream.specular,
          toMask: upstream.mask,
          toInnerMouth: upstream.innerMouth,
        },
        attributes,
      ),
  }),
})

/** Pictures from a smoothed surface.
 *
 * @param surface - `[B, H, W, 8]` linear diffuse light, linear specular light, face, inner mouth
 * @param background - see `RenderFaceOptions`; carries no gradient
 * @param fused - whether as one kernel, not as stock operations
 * @differentiable surface
 */
export function composePictures(surface: Tensor4D, background: Background, fused: boolean): Pictures {
  return tidy(() => {
    const linear = linearBackground(background, surface.shape)
    const [picture, color] = Array.isArray(linear) ? [undefined, linear] : [linear, [0, 0, 0]]
    return (fused ? kernel : kernel.byOperations)({ surface, background: picture }, { color })
  })
}

/** Three numbers, or `[B, H, W, 3]`, linear. */
function linearBackground(background: Background, [batch, height, width]: number[]): number[] | Tensor4D {
  if (typeof background === 'object' && 'dataId' in background) {
    const expected = [batch, height, width, 3]
    assertShape('renderFace: background', background, expected, {}, 'it needs the size of the picture')
    return pow(clipByValue(background, 0, 1), 2.2) as Tensor4D
  }
  const color = typeof background === 'number' ? [background, background, background] : background
  if (color?.length !== 3) {
    throw new ShapeError(
      `renderFace: background is ${String(background)}, expected a number, 3 numbers, or a tensor [B, H, W, 3]`,
    )
  }
  for (const value of color) assertInRange('renderFace: background', value, 0, 1)
  return color.map((value) => value ** 2.2)
}
