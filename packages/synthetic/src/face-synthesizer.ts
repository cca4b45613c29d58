import { assertInteger, createRandom, recordStep, ValueError, type FaceParameters } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, renderFace } from '@facekit/render'
import { sampleTexture } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import { createDrawTable } from './draw-table.js'
import { createPeople, drawRotation } from './draw-face.js'
import { drawExpression } from './draw-expression.js'
import { drawLight } from './draw-light.js'
import { frameFace } from './frame-face.js'
import { hashSeed } from './hash-seed.js'
import { labelFace } from './label-face.js'
import { landmarkShape } from './landmark-shape.js'
import { noiseTexture } from './noise-texture.js'
import { labelOf, type SyntheticBatch } from './synthetic-batch.js'
import { completeOptions, type SynthesizerOptions } from './synthesizer-options.js'

/** Where a synthesizer stands; plain JSON. */
export interface SynthesizerState {
  seed: number
  /** Number of the next picture. */
  picture: number
}

/** Renders faces that never were, with everything known about them. */
export interface FaceSynthesizer {
  /** The next B pictures. The caller disposes (`tf.dispose(batch)`). */
  next(): SyntheticBatch
  state(): SynthesizerState
  /** Goes on from a state: the same pictures come as came then.
   *
   * @throws {ValueError} for a state of another seed, or none at all */
  restore(state: unknown): void
  /** Frees what is kept on the backend. */
  dispose(): void
}

const PICTURE = 2

export function createFaceSynthesizer(
  model: MorphableModel,
  options: SynthesizerOptions = {},
): FaceSynthesizer {
  const settings = completeOptions(options)
  const { size, batch, seed, picturesPerIdentity, identities } = settings
  const { layout } = model
  const people = createPeople(model, seed, settings.identityDeviation)
  const shapeOf = landmarkShape(model)
  const table = createDrawTable({
    identity: layout.identity,
    expression: layout.expression,
    albedo: layout.albedo,
    rotation: 3,
    translation: 3,
    scale: 1,
    sphericalHarmonics: 27,
    lightPosition: 3,
    lightColor: 3,
    shininess: 1,
    background: 16,
    person: 1,
  })
  let picture = 0

  const drawPicture = (index: number) => {
    const group = Math.floor(index / picturesPerIdentity)
    const person = identities === undefined ? group : group % identities
    const random = createRandom(hashSeed(seed, PICTURE, index))
    const expression = drawExpression(random, model, settings.expression)
    const turned = drawRotation(random, settings.pose)
    const [smallest, largest] = settings.framing.scale
    const roll = (Math.PI / 180) * settings.pose.roll * Math.min(1, Math.max(-1, random.normal(0, 0.35)))
    const framing = {
      scale: Math.exp(random.uniform(Math.log(smallest), Math.log(largest))),
      roll,
      shift: [
        random.normal(0, settings.framing.shift * size),
        random.normal(0, settings.framing.shift * size),
      ] as const,
    }
    const { identity, albedo } = people(person)
    const pose = frameFace(shapeOf(identity, expression), turned, framing, defaultCamera, size)
    const light = drawLight(random, settings.light)
    return {
      identity,
      expression,
      albedo,
      rotation: pose.rotation,
      translation: pose.translation,
      scale: [pose.scale],
      sphericalHarmonics: light.sphericalHarmonics,
      lightPosition: light.lightPosition,
      lightColor: light.lightColor,
      shininess: [light.shininess],
      background: Float32Array.from({ length: 16 }, () => random.uniform()),
      person: [person],
    }
  }

  const faceLabels = labelFace(model)
  const mouth = new Int32Array(model.innerMouthTriangles.length / 3).fill(labelOf('mouth'))
  // 0 for background, then one for each triangle.
  const labelTable = tf.keep(tf.tensor1d([0, ...faceLabels, ...mouth], 'int32'))
  const bare = (label: number) => (label === labelOf('skin') || label === labelOf('nose') ? 1 : 0)
  const skinTable = tf.keep(tf.tensor1d([0, ...Array.from(faceLabels, bare), ...Array.from(mouth, () => 0)]))
  const noise = tf.keep(tf.tensor4d(noiseTexture(hashSeed(seed, 77), 128, 3), [1, 128, 128, 3]))
  const grid = tf.keep(
    tf.tidy(() => {
      const line = tf.div(tf.add(tf.range(0, size), 0.5), size)
      const x = tf.tile(tf.reshape(line, [1, 1, size, 1]), [1, size, 1, 1])
      const y = tf.tile(tf.reshape(line, [1, size, 1, 1]), [1, 1, size, 1])
      return tf.reshape(tf.concat([x, y], 3), [size * size, 2]) as tf.Tensor2D
    }),
  )

  const render = recordStep((draws: tf.Tensor2D) => {
    const d = table.unpack(draws)
    const parameters: FaceParameters = {
      identity: d.identity,
      expression: d.expression,
      albedo: d.albedo,
      pose: { rotation: d.rotation, translation: d.translation, scale: d.scale },
      illumination: {
        sphericalHarmonics: tf.reshape(d.sphericalHarmonics, [batch, 9, 3]),
        lightPosition: d.lightPosition,
        lightColor: d.lightColor,
        shininess: d.shininess,
      },
    }
    const column = (name: 'background', from: number, count: number) =>
      tf.slice(d[name], [0, from], [batch, count])
    // A patch of noise, stretched and turned.
    const stretch = tf.reshape(tf.mul(tf.sub(column('background', 0, 4), 0.5), 4), [batch, 2, 2])
    const uv = tf.add(
      tf.matMul(tf.tile(tf.expandDims(grid, 0), [batch, 1, 1]), stretch),
      tf.reshape(column('background', 4, 2), [batch, 1, 2]),
    )
    const patch = sampleTexture(noise, tf.reshape(uv, [batch, size, size, 2]), { wrap: 'repeat' })
    const mix = tf.mul(tf.sub(column('background', 6, 9), 0.5), 0.7)
    const colors = tf.matMul(tf.reshape(patch, [batch, size * size, 3]), tf.reshape(mix, [batch, 3, 3]))
    const background = tf.clipByValue(
      tf.add(
        tf.reshape(colors, [batch, size, size, 3]),
        tf.reshape(column('background', 13, 3), [batch, 1, 1, 3]),
      ),
      0,
      1,
    ) as tf.Tensor4D
    const rendering = renderFace(model, parameters, {
      width: size,
      height: size,
      contour: 'visible',
      background,
    })
    const { image, mask, innerMouth, landmarks, fragments } = rendering
    const rows = tf.add(fragments.triangleIds, tf.scalar(1, 'int32'))
    const labels = tf.gather(labelTable, rows) as tf.Tensor as tf.Tensor3D
    const skin = tf.expandDims(tf.gather(skinTable, rows) as tf.Tensor, 3) as tf.Tensor4D
    return assemble() as unknown as tf.TensorContainerObject

    function assemble(): SyntheticBatch {
      const inside = tf.cast(tf.logicalAnd(tf.greater(landmarks, 0), tf.less(landmarks, size)), 'float32')
      const x = tf.mean(tf.slice(landmarks, [0, 36, 0], [batch, 6, 2]), 1, true)
      const y = tf.mean(tf.slice(landmarks, [0, 42, 0], [batch, 6, 2]), 1, true)
      const rest = [30, 48, 54].map((index) => tf.slice(landmarks, [0, index, 0], [batch, 1, 2]))
      const low = tf.min(landmarks, 1)
      const high = tf.max(landmarks, 1)
      return {
        image,
        labels,
        faceRegion: mask,
        innerMouth,
        skin,
        normals: tf.zeros([batch, size, size, 3]) as tf.Tensor4D,
        landmarks,
        landmarkVisibility: tf.min(inside, 2) as tf.Tensor2D,
        box: tf.concat([low, tf.sub(high, low)], 1) as tf.Tensor2D,
        fivePoints: tf.concat([x, y, ...rest], 1) as tf.Tensor3D,
        parameters,
        identityIds: tf.cast(tf.reshape(d.person, [batch]), 'int32') as tf.Tensor1D,
      }
    }
  })

  return {
    next() {
      const rows = Array.from({ length: batch }, (_, i) => drawPicture(picture + i))
      picture += batch
      const draws = table.pack(rows)
      const result = render(draws) as unknown as SyntheticBatch
      draws.dispose()
      return result
    },
    state: () => ({ seed, picture }),
    restore(state) {
      const { seed: from, picture: at } = (state ?? {}) as Partial<SynthesizerState>
      if (from !== seed) {
        throw new ValueError(
          `FaceSynthesizer.restore: seed is ${String(from)}, expected ${seed}; make it with that seed`,
        )
      }
      assertInteger('FaceSynthesizer.restore: picture', at as number, 0)
      picture = at as number
    },
    dispose() {
      render.dispose()
      tf.dispose([labelTable, skinTable, noise, grid])
    },
  }
}
