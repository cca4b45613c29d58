import { assertInteger, ValueError } from '@facekit/core'
import { decodeSrgb, shadingFactor, type FaceTextures } from '@facekit/export'
import {
  lightPresets as presets,
  shadePreset,
  shadeSurface,
  shadingShare,
  type LightPreset,
} from '@facekit/illumination'
import { evaluateShape, innerMouthUv, vertexNormals, type MorphableModel } from '@facekit/morphable'
import { createParameters, disposeParameters } from '@facekit/parameters'
import { interpolate, rasterize, sampleTexture } from '@facekit/rasterizer'
import { defaultCamera, projectVertices, transformVertices } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import type { RenderOptions } from '../options.js'
import type { RgbaImage } from '../photo-source.js'
import { uvOf, type FaceNumbers } from './face-shape.js'
import { turnAngle } from './turn-angle.js'

/** Samples along each side of a pixel. */
const SAMPLES = 2
/** What is seen between the lips where no photograph shows it, linear. */
const MOUTH = [0.02, 0.006, 0.006]
const CLAY = 0.6

/** What is drawn. */
export interface DrawnFace {
  /** With its expression. */
  numbers: FaceNumbers
  model: MorphableModel & { uv: NonNullable<MorphableModel['uv']> }
  textures: FaceTextures
}

/** Draws a face with its maps, lit at each pixel, each pixel the mean of four: by Eq. 4 and 5 in the photograph's light (with its shading, as far as the face is turned as it was there) or one's own, by `shadePreset` in a preset's.
 *
 * @throws {ValueError} when an option is out of range
 */
export async function renderView(
  { numbers, model, textures }: DrawnFace,
  options: RenderOptions,
): Promise<RgbaImage & { data: Uint8ClampedArray<ArrayBuffer> }> {
  const { width = 512, height = width, mode = 'lit', yaw = 0, pitch = 0, roll = 0 } = options
  assertInteger('render: width', width, 1, 4096)
  assertInteger('render: height', height, 1, 4096)
  if (!['lit', 'diffuse', 'specular', 'shape'].includes(mode))
    throw new ValueError(`render: mode is ${String(mode)}, expected 'lit', 'diffuse', 'specular' or 'shape'`)
  const angles = [pitch, yaw, roll]
  if (!angles.every(Number.isFinite))
    throw new ValueError(`render: pitch, yaw, roll are ${angles.join(', ')}, expected radians`)
  const preset = presetOf(options.light)
  const light = typeof options.light === 'object' ? options.light : undefined
  const posed: FaceNumbers = {
    ...numbers,
    pose: {
      rotation: Float32Array.from(angles),
      translation: new Float32Array(3),
      scale: Float32Array.of(1),
    },
    illumination: light
      ? {
          ...numbers.illumination,
          sphericalHarmonics: Float32Array.from(light.sphericalHarmonics.flat()),
          lightPosition: Float32Array.from(light.lightPosition),
          lightColor: Float32Array.from(light.lightColor),
        }
      : numbers.illumination,
  }
  const size = { width: width * SAMPLES, height: height * SAMPLES }
  const triangles = Int32Array.of(...model.triangles, ...model.innerMouthTriangles)
  const faceTriangles = model.triangles.length / 3
  const mouthUv = mode !== 'shape' && textures.mouth ? innerMouthUv(model) : undefined
  const mouth = mouthUv && { uv: mouthUv, map: textures.mouth! }
  const parameters = createParameters([posed])
  const tensors = tf.tidy(() => {
    const vertices = transformVertices(evaluateShape(model, parameters), parameters.pose)
    const fragments = rasterize(projectVertices(vertices, defaultCamera, size), triangles, size)
    const places = (values: Float32Array) => tf.tensor3d(values, [1, model.vertexCount, 2])
    const uv = [uvOf(model.uv), mouth?.uv ?? new Float32Array(2 * model.vertexCount)].map(places)
    const surface = interpolate(
      tf.concat([uv[0], vertexNormals(vertices, model), vertices, uv[1]], 2),
      fragments,
      triangles,
    )
    const part = (start: number, count: number) =>
      tf.slice(surface, [0, 0, 0, start], [-1, -1, -1, count]) as tf.Tensor4D
    let albedo =
      mode === 'shape'
        ? tf.fill([1, size.height, size.width, 6], CLAY)
        : sampleTexture(linearTexture(textures), part(0, 2))
    if (mouth) {
      const inside = tf.cast(tf.greaterEqual(fragments.triangleIds, faceTriangles), 'float32')
      const mask = tf.reshape(inside, [1, size.height, size.width, 1])
      const behind = sampleTexture(mouthTexture(mouth.map), part(8, 2))
      albedo = tf.add(tf.mul(albedo, tf.sub(1, mask)), tf.mul(behind, mask))
    }
    const [diffuse, specular] = tf.split(albedo, 2, 3) as tf.Tensor4D[]
    if (mode === 'diffuse' || mode === 'specular')
      return { ids: fragments.triangleIds, color: mode === 'diffuse' ? diffuse : specular }
    const bent = part(2, 3)
    const normals = tf.div(bent, tf.sqrt(tf.maximum(tf.sum(tf.square(bent), 3, true), 1e-12))) as tf.Tensor4D
    if (preset)
      return { ids: fragments.triangleIds, surface: { diffuse, specular, normals, positions: part(5, 3) } }
    // The light stays where it was: a face that is turned in it has other shadows.
    const share = shadingShare(turnAngle(numbers.pose.rotation, angles))
    const onFace = tf.expandDims(tf.less(fragments.triangleIds, faceTriangles), 3)
    const shading = light || mode !== 'lit' ? undefined : textures.shading
    const { shaded, litDiffuse } = shadeSurface({
      diffuse: shading
        ? tf.mul<tf.Tensor4D>(diffuse, shadingOf(shading, share, part(0, 2), onFace))
        : diffuse,
      specular,
      normals,
      positions: part(5, 3),
      ...parameters.illumination,
      cameraPosition: [0, 0, defaultCamera.distance],
    })
    const color =
      mode === 'shape' ? litDiffuse : tf.add(...(tf.split(shaded, 2, 3) as [tf.Tensor, tf.Tensor]))
    return { ids: fragments.triangleIds, color }
  })
  disposeParameters(parameters)
  try {
    const ids = await tensors.ids.data()
    const dark = mouth ? Infinity : faceTriangles
    if (tensors.color)
      return { width, height, data: meanPixels(ids, await tensors.color.data(), { width, height }, dark) }
    const [diffuse, specular, normals, positions] = await Promise.all(
      Object.values(tensors.surface).map((tensor) => tensor.data()),
    )
    const color = shadePreset(preset!, {
      diffuse,
      // Clay does not shine.
      specular: mode === 'shape' ? new Float32Array(specular.length) : specular,
      normals,
      positions,
      cameraPosition: [0, 0, defaultCamera.distance],
      shininess: numbers.illumination.shininess[0],
    })
    return { width, height, data: meanPixels(ids, color, { width, height }, dark) }
  } finally {
    tf.dispose(tensors)
  }
}

/** Means of samples, encoded, with the share of them that show the face as alpha. Triangles from `dark` on show the darkness of a mouth. */
function meanPixels(
  ids: ArrayLike<number>,
  color: ArrayLike<number>,
  { width, height }: { width: number; height: number },
  dark: number,
): Uint8ClampedArray<ArrayBuffer> {
  const data = new Uint8ClampedArray(width * height * 4)
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    const sum = [0, 0, 0]
    let covered = 0
    for (let sample = 0; sample < SAMPLES ** 2; sample++) {
      const row = y * SAMPLES + Math.floor(sample / SAMPLES)
      const at = row * width * SAMPLES + x * SAMPLES + (sample % SAMPLES)
      if (ids[at] < 0) continue
      covered++
      for (let c = 0; c < 3; c++)
        sum[c] += ids[at] < dark ? Math.min(Math.max(color[3 * at + c], 0), 1) : MOUTH[c]
    }
    if (covered === 0) continue
    for (let c = 0; c < 3; c++) data[4 * pixel + c] = 255 * (sum[c] / covered) ** (1 / 2.2)
    data[4 * pixel + 3] = (255 * covered) / SAMPLES ** 2
  }
  return data
}

/** Factors of the irradiance on the face; what is between the lips has none. */
function shadingOf(
  { data, shape: [rows, columns] }: NonNullable<FaceTextures['shading']>,
  share: number,
  places: tf.Tensor4D,
  onFace: tf.Tensor,
): tf.Tensor {
  const factors = Float32Array.from(data, (byte) => shadingFactor(byte) ** share)
  const map = sampleTexture(tf.tensor4d(factors, [1, rows, columns, 3]), places)
  return tf.where(onFace, map, tf.onesLike(map))
}

const decoded = Float32Array.from({ length: 256 }, (_, byte) => decodeSrgb(byte / 255))

/** `[1, S, S, 6]` diffuse and specular albedo, linear. */
function linearTexture({ diffuse, specular, specularScale }: FaceTextures): tf.Tensor4D {
  const size = diffuse.shape[0]
  const values = new Float32Array(size * size * 6)
  for (let texel = 0; texel < size * size; texel++)
    for (let c = 0; c < 3; c++) {
      values[6 * texel + c] = decoded[diffuse.data[3 * texel + c]]
      values[6 * texel + 3 + c] = specularScale * decoded[specular.data[3 * texel + c]]
    }
  return tf.tensor4d(values, [1, size, size, 6])
}

/** `[1, h, w, 6]` what is between the lips as diffuse albedo; nothing shines there. */
function mouthTexture({ data, shape: [height, width] }: NonNullable<FaceTextures['mouth']>): tf.Tensor4D {
  const values = new Float32Array(height * width * 6)
  for (let texel = 0; texel < height * width; texel++)
    for (let c = 0; c < 3; c++) values[6 * texel + c] = decoded[data[3 * texel + c]]
  return tf.tensor4d(values, [1, height, width, 6])
}

/** The preset that is meant; undefined for the photograph's light, which is that of the fit, and for one's own.
 *
 * @throws {ValueError} for an unknown name
 */
function presetOf(light: RenderOptions['light'] = 'photograph'): LightPreset | undefined {
  if (typeof light !== 'string' || light === 'photograph') return undefined
  if (!Object.hasOwn(presets, light))
    throw new ValueError(
      `render: light is "${light}", expected 'photograph', ${Object.keys(presets).join(', ')}, or a light of one's own`,
    )
  return presets[light]
}
