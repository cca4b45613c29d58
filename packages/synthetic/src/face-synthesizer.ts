import { ValueError, assertInteger } from '@facekit/core'
import { type KernelTime, recordStep } from '@facekit/kernels'
import { disposeModel, type MorphableModel } from '@facekit/morphable'
import { parameterParts, parametersFromTensors, partShape } from '@facekit/parameters'
import { defaultCamera, projectLandmarks } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { buildScene } from './scene/build-scene.js'
import { cameraEffects } from './render/camera-effects.js'
import { composeScene } from './render/compose-scene.js'
import { sceneSampler } from './sample/sample-scene.js'
import { createSampleTable } from './sample/scene-table.js'
import { hashSeed } from './sample/hash-seed.js'
import { denseLandmarks } from './render/dense-landmarks.js'
import { landmarkDepths } from './render/landmark-depths.js'
import { landmarkVisibility } from './render/landmark-visibility.js'
import { renderBackground, renderPatches } from './render/render-background.js'
import { frontRenderer } from './render/render-front.js'
import { hairRenderer } from './render/render-hair.js'
import { headRenderer } from './render/render-head.js'
import { scenePlacer } from './scene/place-scene.js'
import type { SyntheticBatch } from './synthetic-batch.js'
import { completeOptions } from './complete-options.js'
import type { SynthesizerOptions } from './synthesizer-options.js'
import { createTextures } from './render/textures.js'

/** Where a synthesizer stands; plain JSON. */
export interface SynthesizerState {
  seed: number
  /** Number of the next picture. */
  picture: number
}

/** Renders faces that never were, with everything known about them. */
export interface FaceSynthesizer {
  /** The next B pictures.
   *
   * @memory the caller disposes (`disposeBatch`)
   */
  next(): SyntheticBatch
  /** Where it stands, for `restore`. */
  state(): SynthesizerState
  /** Goes on from a state: the pictures come that came then.
   *
   * @throws {ValueError} for a state of another seed, or none at all */
  restore(state: unknown): void
  /** Times of the GPU's kernels in a batch, longest first; see `RecordedStep.profile`. Empty on other backends. */
  profile(): Promise<KernelTime[]>
  /** Frees what is kept on the backend. */
  dispose(): void
}

/** How far behind what is seen a landmark may lie and be seen itself, mm of the head: those of an outline lie beside it, those of the mesh on
 * a surface that may turn away. */
const TOLERANCE = 7
const DENSE_TOLERANCE = 3

/** Stream of random numbers for what all pictures share. */
const LIBRARY = 100

/** Makes a source of rendered faces for training: identities, expressions, skins, poses and light are random, and so are hair, beards, brows,
 * glasses, hats, hands and other occluders, backgrounds, and the faults of cameras.
 *
 * The face is that of the model, rendered as `renderFace` does it (with its light and its camera); head, ears, neck, hair and all else are
 * made around it and follow it. Labels, masks, normals and landmarks come from the geometry.
 *
 * Picture n of a seed is the same on every call, machine and batch size, up to the rounding of the backend. On WebGPU a batch is recorded once
 * and replayed.
 *
 * @param model - of `loadBaseModel`, `loadMorphableModel`, ...; whole heads are fine
 * @differentiable nothing
 * @memory some 200 MB of tables on the current backend, until `dispose`; make and use it on one backend
 * @throws {ValueError} that names the option that is wrong
 * @example
 * const synthesizer = createFaceSynthesizer(await loadBaseModel(), { size: 128, batch: 8, seed: 1 })
 * const batch = synthesizer.next()
 * batch.labels // [8, 128, 128] classes of CelebAMask-HQ
 * disposeBatch(batch)
 */
export function createFaceSynthesizer(
  model: MorphableModel,
  options: SynthesizerOptions = {},
): FaceSynthesizer {
  const settings = completeOptions(options)
  const { size, batch, seed } = settings
  const samplePicture = sceneSampler(model, settings)
  const sample = samplePicture(0)
  const table = createSampleTable(
    Object.fromEntries(Object.entries(sample).map(([name, values]) => [name, values.length])) as {
      [Name in keyof typeof sample]: number
    },
  )
  // Hair cuts, glasses and textures are the same for all seeds: they are what they are.
  const { scene, library } = buildScene(model, LIBRARY)
  const textures = createTextures(hashSeed(LIBRARY, 1), size)
  const placer = scenePlacer(model, scene, library, size)
  const heads = headRenderer(model, scene, textures, size)
  const hairs = hairRenderer(scene, textures, size)
  const fronts = frontRenderer(scene, textures, size)
  const camera = cameraEffects(textures, size)
  const pixels = { width: size, height: size }

  const render = recordStep((samples: tf.Tensor2D) => {
    const d = table.unpack(samples)
    const placed = placer.place(d)
    const head = heads.render(d, placed)
    const hair = hairs.render(d, placed)
    const front = fronts.render(d, placed)
    const behind = renderBackground(d, textures, size)
    const whole = composeScene(d, head, hair, front, behind, renderPatches(d, textures, size))
    const own = (vertices: tf.Tensor3D) => tf.slice(vertices, [0, 0, 0], [-1, model.vertexCount, -1])
    const landmarks = projectLandmarks(own(placed.seen), model, {
      ...pixels,
      camera: defaultCamera,
      contour: 'visible',
      rotation: d.rotation,
    })
    const clip = own(placed.clip)
    const depths = landmarkDepths(model, clip, landmarks, size)
    const near = tf.mul(d.depthScale, d.scale)
    const visibility = (points: tf.Tensor3D, z: tf.Tensor3D, tolerance: number) =>
      landmarkVisibility(points, z, whole.depth, whole.patch, tf.mul(near, tolerance))
    const focal = size / 2 / Math.tan(defaultCamera.fieldOfView / 2)
    const view = tf.div(tf.tensor2d([focal, defaultCamera.distance], [1, 2]), d.depthScale) as tf.Tensor2D
    const dense =
      model.denseLandmarks && denseLandmarks(own(placed.vertices), clip, model.denseLandmarks, view, size)
    const result: SyntheticBatch = {
      image: camera.apply(whole.image, d),
      labels: tf.cast(tf.round(tf.reshape(whole.label, [batch, size, size])), 'int32'),
      faceRegion: whole.face,
      innerMouth: whole.mouth,
      skin: whole.bare,
      normals: whole.normals,
      landmarks,
      landmarkVisibility: visibility(landmarks, depths, TOLERANCE),
      ...(dense && {
        denseLandmarks: dense.points,
        denseVisibility: visibility(dense.points, dense.depths, DENSE_TOLERANCE),
      }),
      camera: view,
      box: boxOf(clip),
      fivePoints: fivePointsOf(landmarks),
      parameters: parametersFromTensors(
        parameterParts.map((part) => {
          const shape = partShape(part, model.layout)
          return shape.length === 1 ? d[part.name] : tf.reshape(d[part.name], [batch, ...shape])
        }),
      ),
      identityIds: tf.cast(tf.round(tf.reshape(d.person, [batch])), 'int32') as tf.Tensor1D,
    }
    return result
  })

  /** x, y, width, height of what the face's vertices take up. */
  function boxOf(clip: tf.Tensor3D): tf.Tensor2D {
    const w = tf.maximum(tf.slice(clip, [0, 0, 3], [-1, -1, 1]), 1e-3)
    const seen = tf.div(tf.slice(clip, [0, 0, 0], [-1, -1, 2]), w)
    const [low, high] = [tf.min(seen, 1), tf.max(seen, 1)] // [B, 2]
    const column = (points: tf.Tensor, c: number) => tf.slice(points, [0, c], [-1, 1])
    const half = size / 2
    const left = tf.mul(tf.add(column(low, 0), 1), half)
    const top = tf.mul(tf.sub(1, column(high, 1)), half)
    const width = tf.mul(tf.sub(column(high, 0), column(low, 0)), half)
    const height = tf.mul(tf.sub(column(high, 1), column(low, 1)), half)
    return tf.concat([left, top, width, height], 1) as tf.Tensor2D
  }

  let picture = 0
  return {
    next() {
      const rows = Array.from({ length: batch }, (_, i) => samplePicture(picture + i))
      picture += batch
      const samples = table.pack(rows)
      const result = render(samples)
      samples.dispose()
      return result
    },
    state: () => ({ seed, picture }),
    restore(state) {
      const { seed: from, picture: at } = (state ?? {}) as Partial<SynthesizerState>
      if (from !== seed) {
        throw new ValueError(
          `FaceSynthesizer.restore: seed is ${String(from)}, expected ${seed}; make the synthesizer with that seed`,
        )
      }
      assertInteger('FaceSynthesizer.restore: picture', at as number, 0)
      picture = at as number
    },
    profile: () => render.profile(),
    dispose() {
      render.dispose()
      disposeModel(scene.shape)
      for (const part of [placer, heads, hairs, fronts, camera, textures]) part.dispose()
    },
  }
}

/** Middles of the eyes, tip of the nose, corners of the mouth. */
function fivePointsOf(landmarks: tf.Tensor3D): tf.Tensor3D {
  const eye = (first: number) => tf.mean(tf.slice(landmarks, [0, first, 0], [-1, 6, 2]), 1, true)
  const point = (index: number) => tf.slice(landmarks, [0, index, 0], [-1, 1, 2])
  return tf.concat([eye(36), eye(42), point(30), point(48), point(54)], 1) as tf.Tensor3D
}
