// A loss of one's own, beside the paper's: the light should come from both sides alike.
import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { hybridLoss, paperLossTerms, readHybridLoss, type LossContext, type LossTerm } from '@facekit/losses'
import { pathToFileURL } from 'node:url'

// 1. The loss. Of the nine spherical harmonics, (1,1), (2,-2) and (2,1) change their sign between left and right. A term
//    is a name, a weight (or a schedule) and a function of the context: nothing to extend, nothing to register.
const odd = [3, 4, 7]

/** Squared strength of the light's left-right differences, `[B, 9, 3]` to a scalar, mean over the pictures. */
export const symmetricLight: LossTerm = {
  name: 'symmetricLight',
  weight: (iteration) => (iteration < 20 ? 0 : 2),
  compute: ({ parameters }) =>
    tf.tidy(() => {
      const light = parameters.illumination.sphericalHarmonics
      const lopsided = tf.gather(light, odd, 1) // [B, 3, 3]
      return tf.div(tf.sum(tf.square(lopsided)), light.shape[0])
    }),
}

/** A labelled picture and a rendered face, of random numbers: in earnest they come from annotate and renderFace. */
function createContext(): LossContext {
  const random = createRandom(7)
  const noise = (...shape: number[]) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform()),
      shape,
    )
  const picture = (channels: number) => noise(1, 16, 16, channels) as tf.Tensor4D
  const landmarks = () => tf.tidy(() => tf.mul(noise(1, 68, 2), 16)) as tf.Tensor3D
  return {
    inputImage: picture(3),
    faceRegion: picture(1),
    skinProbability: picture(1),
    landmarks: landmarks(),
    rendering: {
      image: picture(3),
      diffuse: picture(3),
      specular: picture(3),
      mask: picture(1),
      innerMouth: picture(1),
      landmarks: landmarks(),
      litDiffuse: noise(1, 100, 3) as tf.Tensor3D,
    },
    parameters: neutralParameters({ identity: 4, expression: 4, albedo: 4 }),
  }
}

/** Strength of the left-right difference of the light before and after it followed the gradient of all losses. */
export async function writeYourOwnLoss(
  iterations = 120,
): Promise<{ before: number; after: number; names: string[] }> {
  const context = createContext()
  // 2. Beside the paper's terms. What this context lacks (a face recognition network, a labelled mouth) is left out.
  const terms = [...paperLossTerms({ missing: 'skip' }), symmetricLight]
  // 3. Light from one side, free to change.
  const light = tf.tidy(() => tf.variable(tf.mul<tf.Tensor3D>(tf.ones([1, 9, 3]), 0.5)))
  const { parameters } = context
  const lit = {
    ...context,
    parameters: {
      ...parameters,
      illumination: { ...parameters.illumination, sphericalHarmonics: light as tf.Tensor3D },
    },
  }
  const optimizer = tf.train.adam(0.02)
  const strength = async () => {
    const loss = hybridLoss(terms, lit, iterations)
    const { terms: values } = await readHybridLoss(loss)
    tf.dispose([loss.total, loss.terms])
    return values
  }
  const before = await strength()
  for (let i = 0; i < iterations; i++)
    optimizer.minimize(() => hybridLoss(terms, lit, i).total, false, [light])
  const after = await strength()
  const { parameters: _, embed: __, ...tensors } = context
  disposeParameters(parameters)
  optimizer.dispose()
  tf.dispose([light, tensors])
  return { before: before.symmetricLight, after: after.symmetricLight, names: Object.keys(after) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { backend } = await initEngine({ backend: 'wasm' })
  const { before, after, names } = await writeYourOwnLoss()
  console.log(`on ${backend}: ${names.join(', ')}`)
  console.log(
    `left-right difference of the light: ${before.toFixed(3)} before, ${after.toExponential(1)} after`,
  )
}
