import {
  ShapeError,
  assertInRange,
  assertShape,
  hasHostMemory,
  runHostKernel,
  type HostKernel,
} from '@facekit/core'
import {
  add,
  clipByValue,
  mul,
  pow,
  slice,
  sub,
  tensor4d,
  tidy,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { composeBackward, composeForward } from './compose-arrays.js'
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

const gradientKernel: HostKernel = {
  name: 'FacekitComposePicturesGradient',
  inputs: [
    'surface',
    'background',
    'image',
    'diffuse',
    'specular',
    ...PICTURES.map((name) => `${name}Gradient`),
  ],
  outputs: ([shape]) => [{ shape, dtype: 'float32' }],
  compute(inputs, [result]) {
    const [surface, background, image, diffuse, specular] = inputs
    const [toImage, toDiffuse, toSpecular, toMask, toMouth] = inputs.slice(5)
    const upstream = {
      image: toImage,
      diffuse: toDiffuse,
      specular: toSpecular,
      mask: toMask,
      innerMouth: toMouth,
    }
    composeBackward(surface, background, { image, diffuse, specular }, upstream, result)
  },
}

const kernel: HostKernel = {
  name: 'FacekitComposePictures',
  inputs: ['surface', 'background'],
  outputs: ([[batch, height, width]]) =>
    [3, 3, 3, 1, 1].map((channels) => ({ shape: [batch, height, width, channels], dtype: 'float32' })),
  compute([surface, background], [image, diffuse, specular, mask, innerMouth]) {
    composeForward(surface, background, { image, diffuse, specular, mask, innerMouth })
  },
  gradient: {
    inputsToSave: ['surface', 'background'],
    outputsToSave: [true, true, true, false, false],
    gradFunc: (upstream, [surface, background, image, diffuse, specular]) => ({
      surface: () => {
        const gradients = (upstream as Tensor[]).map((gradient, i) => [`${PICTURES[i]}Gradient`, gradient])
        const inputs = { surface, background, image, diffuse, specular, ...Object.fromEntries(gradients) }
        return runHostKernel(gradientKernel, inputs, {})[0]
      },
    }),
  },
}

/** Pictures from a smoothed surface.
 *
 * @param surface - `[B, H, W, 8]` linear diffuse light, linear specular light, face, inner mouth
 * @param background - see `RenderFaceOptions`; carries no gradient
 *
 * Differentiable: surface.
 */
export function composePictures(surface: Tensor4D, background: Background): Pictures {
  return tidy(() => {
    const linear = linearBackground(background, surface.shape)
    if (hasHostMemory()) {
      const outputs = runHostKernel(kernel, { surface, background: linear }, {}) as Tensor4D[]
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

/** `[1, 1, 1, 3]` or `[B, H, W, 3]` linear. */
function linearBackground(background: Background, [batch, height, width]: number[]): Tensor4D {
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
  return tensor4d(
    color.map((value) => value ** 2.2),
    [1, 1, 1, 3],
  )
}
