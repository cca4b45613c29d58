import { shadeSurface } from '@facekit/illumination'
import { vertexNormals } from '@facekit/mesh'
import { type MorphableModel, evaluateAlbedo, evaluateShape, gatherVertices } from '@facekit/morphable'
import { defaultCamera, projectVertices, transformVertices } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import type { SceneLibrary } from './build-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import { lidHosts } from './eye-parts.js'
import { HIDDEN } from './hair-styles.js'
import { joinChannels } from '../render/channels.js'
import type { Material } from './mesh-part.js'
import type { SceneModel } from './scene-model.js'

/** Vertices of a scene in a batch of pictures. */
export interface PlacedScene {
  /** `[B, N, 3]` mm, world space. */
  vertices: tf.Tensor3D
  /** `[B, N, 3]` the same with z as the renderer's camera has to see it for what each picture's own camera sees; see `FramedPose`. */
  seen: tf.Tensor3D
  /** `[B, N, 4]` */
  clip: tf.Tensor3D
  /** `[B, N, 12]` three each: light that falls on the surface, light that it throws back as a mirror does, albedo, all linear;
   * the normal. See `ATTRIBUTES`. */
  attributes: tf.Tensor3D
  /** `[B, N, 3]` as the strongest lamp sees it, -1..1; see `lightView`. */
  light: tf.Tensor3D
  /** `[B, 3]` mean of the bare skin. */
  skin: tf.Tensor2D
  /** `[B, 2 V, 1]` of hair and hat, mm over the head. */
  thickness: tf.Tensor3D
}

/** First channels of what is in `PlacedScene.attributes`. */
export const ATTRIBUTES = { irradiance: 0, specular: 3, albedo: 6, normals: 9 } as const

/** Parts that are there in some pictures only. */
const SWITCHED: readonly (readonly [part: string, flag: keyof SceneSamples & `${string}On`])[] = [
  ['hat', 'hatOn'],
  ['brim', 'brimOn'],
  ['frame', 'glassesOn'],
  ['lenses', 'glassesOn'],
  ['hand', 'handOn'],
  ['object', 'objectOn'],
  ['mask', 'maskOn'],
  ['scarf', 'scarfOn'],
]
/** Materials whose colour is sampled. */
const COLORED: readonly (readonly [Material, keyof SceneSamples & `${string}Color`])[] = [
  ['teeth', 'teethColor'],
  ['hair', 'hairColor'],
  ['hat', 'hatColor'],
  ['frame', 'frameColor'],
  ['lens', 'lensColor'],
  ['object', 'objectColor'],
  ['mask', 'maskColor'],
  ['scarf', 'scarfColor'],
  ['lash', 'lashColor'],
]
const GLOSS: Partial<Record<Material, number>> = {
  skin: 0.035,
  teeth: 0.1,
  tongue: 0.08,
  frame: 0.12,
  lens: 0.25,
  hand: 0.035,
  object: 0.05,
  hat: 0.005,
  mask: 0.005,
  scarf: 0.003,
  lash: 0,
}
/** Share of its own tone that the head's skin takes from the rim of the face, where the face ends. */
const RIM_TONE = 0.55

type Samples = Sampled<SceneSamples>

/** Keeps the tables of a scene on the backend, and makes the function that puts a batch together.
 *
 * @returns `place`, and the tensors to dispose at the end
 */
export function scenePlacer(model: MorphableModel, scene: SceneModel, library: SceneLibrary, size: number) {
  const { vertexCount: N, ranges, materials, faceVertexCount } = scene
  const { grid } = library
  const view = { width: size, height: size }
  const kept: tf.Tensor[] = []
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    kept.push(tf.keep(tensor))
    return tensor
  }
  const table = (values: Float32Array, rows: number) =>
    keep(tf.tensor2d(values, [rows, values.length / rows]))
  const versions = {
    hair: table(library.hair, library.hair.length / grid.count),
    hat: table(library.hat, library.hat.length / grid.count),
    brim: table(library.brim, library.brim.length / (3 * ranges.brim.count)),
    frame: table(library.frame, library.frame.length / (3 * ranges.frame.count)),
    lenses: table(library.lenses, library.lenses.length / (3 * ranges.lenses.count)),
    hand: table(library.hand, library.hand.length / (3 * ranges.hand.count)),
    object: table(library.object, library.object.length / (3 * ranges.object.count)),
  }
  const directions = keep(tf.tensor3d(grid.directions, [1, grid.count, 3]))
  const body = keep(tf.tensor3d(scene.body, [1, N, 1]))
  const rigid = keep(
    tf.tensor3d(
      scene.body.map((value) => 1 - value),
      [1, N, 1],
    ),
  )
  const openness = keep(tf.tensor3d(scene.openness, [1, N, 1]))
  const gloss = keep(
    tf.tensor3d(
      Float32Array.from(materials.slice(faceVertexCount), (material) => GLOSS[material] ?? 0.02),
      [1, N - faceVertexCount, 1],
    ),
  )
  const oneHot = (rows: number, rowsOf: (vertex: number) => readonly number[]) => {
    const values = new Float32Array(rows * N)
    for (let v = 0; v < N; v++) for (const row of rowsOf(v)) values[row * N + v] = 1
    return keep(tf.tensor2d(values, [rows, N]))
  }
  const inside = (v: number, part: string) =>
    ranges[part] !== undefined && v >= ranges[part].first && v < ranges[part].first + ranges[part].count
  const switches = oneHot(SWITCHED.length + 1, (v) => {
    const row = SWITCHED.findIndex(([part]) => inside(v, part))
    return [row < 0 ? SWITCHED.length : row]
  })
  // Colours: those that are sampled, then tongue, hand, and the skin around the face.
  const colored = oneHot(COLORED.length + 3, (v) => {
    const material = materials[v]
    const row = COLORED.findIndex(([name]) => name === material)
    if (row >= 0) return [row]
    const rest = ['tongue', 'hand', 'skin'].indexOf(material)
    return rest < 0 ? [] : [COLORED.length + rest]
  })
  const inMouth = ['teethUpper', 'teethLower', 'tongue'].map((name) => ranges[name])
  const lids = lidHosts(model, inMouth, N)
  const lidShare = keep(tf.tensor3d(lids.share, [1, N, 1]))
  const headRim = headRimOf(scene)
  const rimTone = keep(tf.tensor3d(headRim.tone, [1, headRim.hosts.length, 1]))
  const samples = skinSamples(model)
  const moving = ['brim', 'frame', 'lenses', 'hand', 'object'] as const
  const firstMoving = ranges.brim.first

  const place = (d: Samples): PlacedScene => {
    const batch = d.identity.shape[0]
    const base = evaluateShape(scene.shape, { identity: d.identity, expression: d.expression })
    const range = (name: string) =>
      tf.slice(base, [0, ranges[name].first, 0], [-1, ranges[name].count, 3]) as tf.Tensor3D
    const points = (values: tf.Tensor) => tf.reshape(values, [batch, -1, 3]) as tf.Tensor3D
    const shell = (mix: tf.Tensor2D, on: tf.Tensor2D, versions: tf.Tensor2D) =>
      tf.add(tf.mul(tf.sub(tf.matMul(mix, versions), HIDDEN), on), HIDDEN) // [B, V]
    const hat = shell(d.hatMix, d.hatOn, versions.hat)
    const free = shell(d.hairMix, d.hairOn, versions.hair)
    // A hat presses hair down.
    const hair = tf.where(tf.greater(hat, 0), tf.minimum(free, tf.sub(hat, 4)), free)
    const grown = (name: 'hair' | 'hat', thickness: tf.Tensor) =>
      tf.add(range(name), tf.mul(tf.expandDims(thickness, 2), directions))
    const glassesShift = tf.reshape(tf.concat([tf.zeros([batch, 1]), d.glassesPlace], 1), [batch, 1, 3])
    const put = {
      brim: () => tf.add(range('brim'), points(tf.matMul(d.brimMix, versions.brim))),
      frame: () =>
        tf.add(tf.add(range('frame'), points(tf.matMul(d.glassesMix, versions.frame))), glassesShift),
      lenses: () =>
        tf.add(tf.add(range('lenses'), points(tf.matMul(d.glassesMix, versions.lenses))), glassesShift),
      hand: () => free3d(d, 'hand', points(tf.matMul(d.handMix, versions.hand))),
      object: () => free3d(d, 'object', points(tf.matMul(d.objectMix, versions.object))),
    }
    const afterShells = ranges.hat.first + ranges.hat.count
    const whole = tf.concat(
      [
        tf.slice(base, [0, 0, 0], [-1, ranges.hair.first, 3]),
        grown('hair', hair),
        grown('hat', hat),
        tf.slice(base, [0, afterShells, 0], [-1, firstMoving - afterShells, 3]),
        ...moving.map((name) => put[name]()),
      ],
      1,
    ) as tf.Tensor3D
    // What is switched off shrinks to a point, and triangles without area are not rendered.
    const flags = tf.concat([...SWITCHED.map(([, flag]) => d[flag]), tf.ones([batch, 1])], 1)
    const shape = tf.mul(whole, tf.expandDims(tf.matMul(flags as tf.Tensor2D, switches), 2)) as tf.Tensor3D
    const head = transformVertices(shape, {
      rotation: d.rotation,
      translation: d.translation,
      scale: d.scale,
    })
    const torso = transformVertices(shape, {
      rotation: d.bodyRotation,
      translation: d.bodyTranslation,
      scale: d.scale,
    })
    const vertices = tf.add(tf.mul(head, rigid), tf.mul(torso, body)) as tf.Tensor3D
    const ones = tf.onesLike(d.depthScale)
    const stretch = tf.expandDims(tf.concat([ones, ones, d.depthScale], 1), 1)
    const seen = tf.mul(vertices, stretch) as tf.Tensor3D
    const clip = projectVertices(seen, defaultCamera, view)
    const normals = facing(vertexNormals(vertices, scene.triangles), vertices)
    const { albedo, specular, skin } = colors(d, batch)
    const { shaded } = shadeSurface({
      diffuse: tf.tile(tf.mul(openness, lidShade(base)), [1, 1, 3]) as tf.Tensor3D,
      specular,
      normals,
      positions: vertices,
      sphericalHarmonics: tf.reshape(d.sphericalHarmonics, [batch, 9, 3]) as tf.Tensor3D,
      lightPosition: d.lightPosition,
      lightColor: d.lightColor,
      shininess: d.shininess,
      cameraPosition: [0, 0, defaultCamera.distance],
    })
    return {
      vertices,
      seen,
      clip,
      light: tf.add(
        tf.matMul(vertices, tf.reshape(tf.slice(d.lightView, [0, 0], [-1, 9]), [batch, 3, 3])),
        tf.reshape(tf.slice(d.lightView, [0, 9], [-1, 3]), [batch, 1, 3]),
      ) as tf.Tensor3D,
      attributes: joinChannels<tf.Tensor3D>(shaded, albedo, normals),
      skin,
      thickness: tf.expandDims(tf.concat([hair, hat], 1), 2) as tf.Tensor3D,
    }
  }

  /** Lids keep light from eyes, and lips from teeth, below and above them: `[B, N, 1]`, 1 elsewhere. */
  function lidShade(base: tf.Tensor3D): tf.Tensor3D {
    const heights = tf.slice(base, [0, 0, 1], [-1, -1, 1]) as tf.Tensor3D
    const below = tf.sub(gatherVertices(heights, lids.upper), heights)
    const above = tf.sub(heights, gatherVertices(heights, lids.lower))
    const shade = (gap: tf.Tensor, least: number, reach: number) =>
      tf.clipByValue(tf.add(tf.mul(gap, (1 - least) / reach), least), least * 0.7, 1)
    const dark = tf.sub(1, tf.mul(shade(below, 0.45, 4), shade(above, 0.7, 2)))
    return tf.sub(1, tf.mul(dark, lidShare)) as tf.Tensor3D
  }

  /** Occluders are open surfaces: both of their sides are lit as what looks to the camera. */
  function facing(normals: tf.Tensor3D, vertices: tf.Tensor3D): tf.Tensor3D {
    const { first, count } = scene.layers.front
    const part = (tensor: tf.Tensor3D) => tf.slice(tensor, [0, first, 0], [-1, count, 3])
    const toCamera = tf.sub(tf.tensor3d([0, 0, defaultCamera.distance], [1, 1, 3]), part(vertices))
    const away = tf.less(tf.sum(tf.mul(part(normals), toCamera), 2, true), 0)
    const turned = tf.mul(part(normals), tf.sub(1, tf.mul(2, tf.cast(away, 'float32'))))
    return tf.concat([tf.slice(normals, [0, 0, 0], [-1, first, 3]), turned], 1) as tf.Tensor3D
  }

  function colors(d: Samples, batch: number) {
    const face = evaluateAlbedo(model, d.albedo)
    const diffuse = tf.maximum(face.diffuse, 0.003) as tf.Tensor3D
    const skin = tf.mean(gatherVertices(diffuse, samples), 1) as tf.Tensor2D
    const row = (color: tf.Tensor) => tf.reshape(color, [batch, 1, 3])
    const sampled = COLORED.map(([, name]) => row(d[name]))
    const tongue = row(tf.mul(skin, tf.tensor2d([0.9, 0.55, 0.6], [1, 3])))
    const palette = tf.concat([...sampled, tongue, row(tf.mul(skin, d.handTint)), row(skin)], 1) // [B, M, 3]
    const rows = tf.reshape(tf.transpose(palette, [0, 2, 1]), [batch * 3, COLORED.length + 3]) as tf.Tensor2D
    const around = tf.transpose(tf.reshape(tf.matMul(rows, colored), [batch, 3, N]), [0, 2, 1]) // [B, N, 3]
    // The head goes on in the colour of the face's rim.
    const { first, count } = ranges.head
    const rim = gatherVertices(diffuse, headRim.hosts)
    const rest = tf.slice(around, [0, first, 0], [-1, count, 3])
    const head = tf.add(rest, tf.mul(tf.sub(rim, rest), rimTone))
    const albedo = tf.concat(
      [diffuse, head, tf.slice(around, [0, first + count, 0], [-1, N - first - count, 3])],
      1,
    ) as tf.Tensor3D
    const specular = tf.concat(
      [tf.maximum(face.specular, 0), tf.tile(gloss, [batch, 1, 3])],
      1,
    ) as tf.Tensor3D
    return { albedo, specular, skin }
  }

  return { place, dispose: () => tf.dispose(kept) }
}

/** A thing that is put somewhere of its own. */
function free3d(d: Samples, name: 'hand' | 'object', points: tf.Tensor3D): tf.Tensor3D {
  return transformVertices(points, {
    rotation: d[`${name}Rotation`],
    translation: d[`${name}Translation`],
    scale: d[`${name}Scale`],
  })
}

/** For each vertex of the head: the vertex of the face's rim that it goes on from, and how much of its colour it has. */
function headRimOf(scene: SceneModel): { hosts: Int32Array; tone: Float32Array } {
  const { first, count } = scene.ranges.head
  const columns = scene.rim.length
  return {
    hosts: Int32Array.from({ length: count }, (_, i) => scene.rim[i % columns]),
    tone: Float32Array.from({ length: count }, (_, i) => {
      const along = scene.uv[(first + i) * 2 + 1]
      return RIM_TONE * Math.max(0, 1 - along * 1.6) + (1 - RIM_TONE) * Math.max(0, 1 - along * 8)
    }),
  }
}

/** Vertices whose mean is the tone of the skin: cheeks, or all of it. */
function skinSamples(model: MorphableModel): Int32Array {
  const skin = model.regions?.cheeks ?? model.regions?.skin
  if (skin && skin.length > 0)
    return skin.filter((_, i) => i % Math.max(1, Math.floor(skin.length / 100)) === 0)
  const cheeks = [1, 2, 3, 13, 14, 15, 31, 35].map((landmark) => model.landmarks[landmark])
  return Int32Array.from(cheeks)
}
