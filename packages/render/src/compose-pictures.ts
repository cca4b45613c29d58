import { ShapeError, assertInRange, assertShape } from '@facekit/core'
import { type HostArray, type HostKernel, runHostKernel } from '@facekit/kernels'
import {
  add,
  clipByValue,
  mul,
  pow,
  slice,
  sub,
  tensor,
  tidy,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { composeBackward, composeForward } from './compose-arrays.js'
import { composeGradientOnGpu, composeOnGpu, type ComposeAttributes } from './webgpu/compose.js'
import { encodeGamma } from './encode-gamma.js'

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

const PICTURES = ['image', 'diffuse', 'specular', 'mask', 'innerMouth'] as const

const gradientKernel: HostKernel<ComposeAttributes> = {
  name: 'FacekitComposePicturesGradient',
  inputs: [
    'surface',
    'background',
    ...PICTURES.map((name) => `${name}Gradient`),
    'image',
    'diffuse',
    'specular',
  ],
  outputs: ([shape]) => [{ shape, dtype: 'float32' }],
  compute([surface, background, ...pictures], [result], _shapes, { color }) {
    const [toImage, toDiffuse, toSpecular, toMask, toMouth, image, diffuse, specular] = pictures
    const upstream = {
      image: toImage,
      diffuse: toDiffuse,
      specular: toSpecular,
      mask: toMask,
      innerMouth: toMouth,
    }
    composeBackward(surface, behind(background, color), { image, diffuse, specular }, upstream, result)
  },
  webgpu: composeGradientOnGpu,
}

const behind = (background: HostArray, color: readonly number[]) =>
  background.length > 0 ? background : Float32Array.from(color)

const kernel: HostKernel<ComposeAttributes> = {
  name: 'FacekitComposePictures',
  inputs: ['surface', 'background'],
  outputs: ([[batch, height, width]]) =>
    [3, 3, 3, 1, 1].map((channels) => ({ shape: [batch, height, width, channels], dtype: 'float32' })),
  compute([surface, background], [image, diffuse, specular, mask, innerMouth], _shapes, { color }) {
    composeForward(surface, behind(background, color), { image, diffuse, specular, mask, innerMouth })
  },
  webgpu: composeOnGpu,
  missingUpstream: 'undefined',
  gradient: {
    inputsToSave: ['surface', 'background'],
    outputsToSave: [true, true, true, false, false],
    gradFunc: (upstream, [surface, background, image, diffuse, specular], attributes) => ({
      surface: () => {
        const nothing = tensor([], [0])
        const gradients = PICTURES.map((name, i) => [
          `${name}Gradient`,
          (upstream as (Tensor | undefined)[])[i] ?? nothing,
        ])
        const inputs = { surface, background, image, diffuse, specular, ...Object.fromEntries(gradients) }
        return runHostKernel(gradientKernel, inputs, attributes as unknown as ComposeAttributes)[0]
      },
    }),
  },
}

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
    if (fused) {
      const [picture, color] = Array.isArray(linear) ? [tensor([], [0]), linear] : [linear, [0, 0, 0]]
      const outputs = runHostKernel(kernel, { surface, background: picture }, { color }) as Tensor4D[]
      const [image, diffuse, specular, mask, innerMouth] = outputs
      return { image, diffuse, specular, mask, innerMouth }
    }
    const part = (start: number, width: number) => slice(surface, [0, 0, 0, start], [-1, -1, -1, width])
    const [diffuse, specular, mask] = [part(0, 3), part(3, 3), part(6, 1)]
    return {
      image: encodeGamma(add(add(diffuse, specular), mul(sub(1, mask), linear)) as Tensor4D),
      diffuse: encodeGamma(diffuse),
      specular: encodeGamma(specular),
      mask,
      innerMouth: part(7, 1),
    }
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
