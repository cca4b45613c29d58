import { labelOf } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import { joinChannels } from './channels.js'
import { blend, ramp } from './blend.js'
import { shadowCaster } from './cast-shadow.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import { seeLayer, triangleTable, type SeenLayer } from './layer-fragments.js'
import { ATTRIBUTES, type PlacedScene } from '../scene/place-scene.js'
import type { SceneModel } from '../scene/scene-model.js'
import { fieldNames, skinFields } from '../scene/skin-fields.js'
import { channels, perPicture, pixelSize } from './tensor-helpers.js'
import { lookUp, type Textures } from './textures.js'
import type { MorphableModel } from '@facekit/morphable'

/** The head in a batch of pictures. All `[B, S, S, ...]`. */
export interface RenderedHead {
  seen: SeenLayer
  /** 3, linear light. */
  color: tf.Tensor4D
  /** 1 each: class, share of the face model's surface, of bare skin, of the opening of the mouth. */
  label: tf.Tensor4D
  face: tf.Tensor4D
  bare: tf.Tensor4D
  mouth: tf.Tensor4D
  /** 3 */
  normals: tf.Tensor4D
}

/** How the skin's canonical place, mm, becomes coordinates of noise. */
const TEXTURE_SCALE = 1 / 110
/** Rows per triangle: class, face, bare, lips, neck, mouth. */
const LIPS = 3
const NECK = 4
const MOUTH = 5
const EYE = 6

/** Makes the function that colours heads: albedo with blotches, pores, freckles, brows, beard and make-up, in the light that falls on it; clothes
 * below the neckline; teeth and tongue where the mouth is open. */
export function headRenderer(model: MorphableModel, scene: SceneModel, textures: Textures, size: number) {
  const { head, mouth } = scene.layers
  const positions = scene.positions.subarray(head.first * 3, (head.first + head.count) * 3)
  const fields = skinFields(model, positions)
  const width = 3 + fieldNames.length
  const values = new Float32Array(head.count * width)
  for (let v = 0; v < head.count; v++) {
    values.set(positions.subarray(v * 3, v * 3 + 3), v * width)
    values.set(fields.subarray(v * fieldNames.length, (v + 1) * fieldNames.length), v * width + 3)
  }
  const fixed = tf.keep(tf.tensor3d(values, [1, head.count, width]))
  const lip = [labelOf('u_lip'), labelOf('l_lip')]
  const eyes = [labelOf('l_eye'), labelOf('r_eye')]
  const skins = ['skin', 'nose', 'l_ear', 'r_ear', 'neck'] as const
  const bareLabels: readonly number[] = skins.map(labelOf)
  const table = tf.keep(
    triangleTable(head, (t) => {
      const label = head.labels[t]
      const own = head.parts[t] === 'face'
      const ear = label === labelOf('l_ear') || label === labelOf('r_ear') || label === labelOf('neck')
      return [
        label,
        own && !ear ? 1 : 0,
        bareLabels.includes(label) ? 1 : 0,
        lip.includes(label) ? 1 : 0,
        head.parts[t] === 'neck' ? 1 : 0,
        head.parts[t] === 'innerMouth' ? 1 : 0,
        eyes.includes(label) ? 1 : 0,
      ]
    }),
  )
  const mouthTable = tf.keep(triangleTable(mouth, (t) => [mouth.materials[t] === 'teeth' ? 1 : 0]))
  const mouthUv = tf.keep(
    tf.tensor3d(scene.uv.slice(mouth.first * 2, (mouth.first + mouth.count) * 2), [1, mouth.count, 2]),
  )

  const castShadows = shadowCaster(scene)

  const render = (d: Sampled<SceneSamples>, placed: PlacedScene): RenderedHead => {
    const seen = seeLayer(head, placed.clip, size)
    const lit = seen.spread(seen.rows(placed.attributes))
    const known = seen.spread(fixed)
    const flags = seen.pick(table)
    const irradiance = tf.maximum(channels(lit, ATTRIBUTES.irradiance, 3), 0.004)
    const field = (name: (typeof fieldNames)[number]) => channels(known, 3 + fieldNames.indexOf(name))
    // The skin as a map: unrolled a bit, so that cheeks are not stretched.
    const [x, y, z] = [0, 1, 2].map((c) => channels(known, c))
    const across = tf.add(x, tf.mul(tf.mul(x, tf.sub(70, z)), 0.006))
    const place = tf.mul(joinChannels(across, y), TEXTURE_SCALE)
    const at = tf.add(place, perPicture(d.skinOffset)) as tf.Tensor4D
    const coarse = lookUp(textures.clouds, at)
    const fine = lookUp(textures.clouds, tf.mul(at, 1.7) as tf.Tensor4D, texels(d, 1.7))
    const pores = channels(fine, 2)
    const look = (i: number) => perPicture(d.skinLook, i, 1)
    const grain = tf.add(tf.mul(channels(coarse, 0), look(0)), tf.mul(pores, look(1)))
    const freckles = tf.mul(tf.mul(channels(fine, 3), look(2)), field('cheeks'))
    const isSkin = channels(flags, 2)
    const rendered = tf.tidy(() => {
      const plain = tf.mul(
        channels(lit, ATTRIBUTES.albedo, 3),
        tf.exp(tf.mul(tf.sub(grain, freckles), isSkin)),
      )
      const cheeks = tf.mul(tf.mul(field('cheeks'), perPicture(d.blush)), isSkin)
      const blushed = tf.mul(plain, tf.sub(1, tf.mul(cheeks, tf.tensor1d([0.05, 0.45, 0.4]))))
      const lids = blend(
        blushed,
        perPicture(d.lidColor),
        tf.mul(tf.mul(field('lids'), perPicture(d.lidStrength)), isSkin),
      )
      return blend(lids, perPicture(d.lipColor), tf.mul(channels(flags, LIPS), perPicture(d.lipStrength)))
    })
    // Hairs of brows and beard: fine noise, stretched along the way they grow.
    const strands = lookUp(
      textures.clouds,
      tf.mul(at, tf.tensor1d([3.6, 1.3])) as tf.Tensor4D,
      texels(d, 2.2),
    )
    const hairs = tf.add(channels(strands, 2), tf.mul(channels(coarse, 1), 0.5))
    const brow = tf.maximum(field('browRight'), field('browLeft'))
    const edge = tf.sub(tf.add(brow, tf.mul(hairs, 0.1)), perPicture(d.browLook, 0, 1))
    const browed = tf.mul(ramp(edge, 0, perPicture(d.browLook, 2, 1)), ramp(brow, 0.03, 15))
    const browAlpha = tf.mul(tf.mul(browed, perPicture(d.browLook, 1, 1)), isSkin)
    const beardField = tf.minimum(
      1,
      tf.add(
        tf.mul(field('beard'), perPicture(d.beardMix, 0, 1)),
        tf.add(
          tf.mul(field('moustache'), perPicture(d.beardMix, 1, 1)),
          tf.mul(field('goatee'), perPicture(d.beardMix, 2, 1)),
        ),
      ),
    )
    const beardNoise = tf.add(tf.mul(hairs, 0.3), tf.mul(channels(coarse, 1), 0.15))
    const beardAlpha = tf.mul(
      tf.mul(
        ramp(tf.add(beardField, tf.mul(beardNoise, beardField)), 0.25, 1.6),
        perPicture(d.beardLook, 0, 1),
      ),
      isSkin,
    )
    const browned = blend(rendered, tf.mul(perPicture(d.browColor), tf.exp(tf.mul(hairs, 0.25))), browAlpha)
    const bearded = blend(browned, tf.mul(perPicture(d.beardColor), tf.exp(tf.mul(hairs, 0.35))), beardAlpha)
    // Clothes: below a line that is lower in front.
    const line = tf.add(
      perPicture(d.clothLook, 0, 1),
      tf.mul(
        tf.sub(tf.abs(x), 60),
        tf.mul(perPicture(d.clothLook, 1, 1), tf.cast(tf.greater(z, -60), 'float32')),
      ),
    )
    const isCloth = tf.mul(
      ramp(tf.sub(tf.minimum(line, -118), y), 0, 1),
      channels(flags, NECK),
    ) as tf.Tensor4D
    const weave = lookUp(textures.leaves, tf.mul(at, 0.8) as tf.Tensor4D)
    const cloth = blend(
      tf.mul(perPicture(d.clothColor), tf.exp(tf.mul(channels(coarse, 0), 0.12))),
      tf.mul(perPicture(d.clothOther), tf.mul(weave, 2)),
      perPicture(d.clothLook, 2, 1),
    )
    const isEye = channels(flags, EYE)
    const isLip = channels(flags, LIPS)
    const lines = tf.mul(drawLines(d, field, isEye), drawFolds(d, field, [x, y], coarse))
    const iris = blend(tf.ones([1, 1, 1, 3]), perPicture(d.irisTint), tf.mul(field('iris'), isEye))
    const albedo = blend(tf.mul(tf.mul(bearded, lines), iris), cloth, isCloth)
    const dull = tf.mul(tf.sub(1, tf.mul(beardAlpha, 0.8)), tf.sub(1, isCloth))
    const specular = tf.mul(channels(lit, ATTRIBUTES.specular, 3), tf.mul(dull, tf.exp(tf.mul(pores, 0.15))))
    const free = castShadows(d, placed.light)(seen.spread(seen.rows(placed.light)))
    const lamp = tf.mul(free, facingLamp(d, channels(lit, ATTRIBUTES.normals, 3)))
    const blocked = tf.sub(1, tf.mul(tf.sub(1, lamp), perPicture(d.keyShadow, 0, 1)))
    const shadow = tf.mul(dappledShadow(d, at), blocked)
    const wet = gleam(d, channels(lit, ATTRIBUTES.normals, 3), pores, isEye, isLip)
    const mirrored = tf.mul(tf.add(specular, wet), lamp)
    const outside = tf.mul(tf.add(tf.mul(albedo, irradiance), mirrored), shadow)
    const isMouth = channels(flags, MOUTH)
    const color = blend(outside, renderMouth(placed, irradiance), isMouth)
    const isBrow = tf.cast(tf.greater(tf.mul(browAlpha, tf.sub(1, isMouth)), 0.22), 'float32')
    const side = tf.cast(tf.greater(field('browLeft'), field('browRight')), 'float32')
    const browLabel = tf.add(labelOf('r_brow'), tf.mul(side, labelOf('l_brow') - labelOf('r_brow')))
    const labelled = blend(
      blend(channels(flags, 0), browLabel, isBrow),
      tf.scalar(labelOf('cloth')),
      tf.round(isCloth),
    )
    const bent = channels(lit, ATTRIBUTES.normals, 3)
    return {
      seen,
      color,
      label: labelled as tf.Tensor4D,
      face: channels(flags, 1),
      bare: tf.mul(
        tf.mul(isSkin, tf.sub(1, isCloth)),
        tf.mul(tf.sub(1, browAlpha), tf.sub(1, beardAlpha)),
      ) as tf.Tensor4D,
      mouth: isMouth,
      normals: tf.div(bent, tf.sqrt(tf.maximum(tf.sum(tf.square(bent), 3, true), 1e-12))),
    }
  }

  /** Texels of noise that a pixel covers, in the middle of the face, so that what is finer is not seen: `[B, 1, 1, 1]`. */
  function texels(d: Sampled<SceneSamples>, frequency: number): tf.Tensor4D {
    const perMillimetre = TEXTURE_SCALE * frequency * textures.clouds.shape[2]
    return tf.mul(pixelSize(d.scale, size), perMillimetre) as tf.Tensor4D
  }

  /** 0 where the surface turns away from the strongest lamp. There the shadow map sees each triangle of its own. */
  function facingLamp(d: Sampled<SceneSamples>, normals: tf.Tensor4D): tf.Tensor4D {
    const direction = tf.div(d.lightPosition, tf.norm(d.lightPosition, 2, 1, true)) as tf.Tensor2D
    return ramp(tf.sum(tf.mul(normals, perPicture(direction)), 3, true), -0.02, 4)
  }

  /** Lashes, and where the lips meet, as factors of the albedo. */
  function drawLines(
    d: Sampled<SceneSamples>,
    field: (name: (typeof fieldNames)[number]) => tf.Tensor4D,
    isEye: tf.Tensor4D,
  ): tf.Tensor4D {
    const look = (i: number) => perPicture(d.lineLook, i, 1)
    const line = (
      name: (typeof fieldNames)[number],
      from: tf.Tensor | number,
      slope: number,
      strength: tf.Tensor,
    ) => tf.mul(ramp(field(name), from, slope), strength)
    const liner = (i: number) => perPicture(d.lashLook, i, 1)
    const lashes = tf.maximum(
      tf.maximum(line('lashes', 0.74, 5, look(0)), line('lashes', liner(3), 5, liner(2))),
      line('lowerLashes', 0.78, 5, look(1)),
    )
    const drawn = tf.maximum(tf.mul(lashes, tf.sub(1, isEye)), line('seam', 0.2, 1.4, look(2)))
    return tf.sub(1, drawn) as tf.Tensor4D
  }

  /** Folds of the skin, as factors of the albedo: dark lines, which noise bends and breaks. */
  function drawFolds(
    d: Sampled<SceneSamples>,
    field: (name: (typeof fieldNames)[number]) => tf.Tensor4D,
    [x, y]: readonly tf.Tensor4D[],
    noise: tf.Tensor4D,
  ): tf.Tensor4D {
    const depth = (i: number) => perPicture(d.foldLook, i, 1)
    const bend = channels(noise, 0)
    /** 1 on lines that lie so many mm apart. */
    const lines = (along: tf.Tensor, apart: number, wobble: number) => {
      const wave = tf.cos(tf.add(tf.mul(along, (2 * Math.PI) / apart), tf.mul(bend, wobble)))
      return tf.square(ramp(wave, 0.1, 1.1))
    }
    const broken = tf.clipByValue(tf.add(tf.mul(channels(noise, 1), 0.35), 0.75), 0, 1)
    const across = tf.mul(tf.mul(field('forehead'), lines(y, 8.5, 1.1)), tf.mul(broken, depth(1)))
    const between = tf.mul(tf.mul(field('frown'), lines(x, 9, 0.7)), tf.mul(broken, depth(2)))
    const beside = tf.mul(field('nasolabial'), tf.mul(broken, depth(0)))
    const all = tf.add(tf.mul(tf.maximum(across, between), 0.4), tf.mul(beside, 0.38))
    return tf.sub(1, all) as tf.Tensor4D
  }

  /** What wet surfaces mirror of the strongest lamp: a spot on each eye, a gleam of the lips, and of oily skin. */
  function gleam(
    d: Sampled<SceneSamples>,
    normals: tf.Tensor4D,
    pores: tf.Tensor4D,
    isEye: tf.Tensor4D,
    isLip: tf.Tensor4D,
  ): tf.Tensor4D {
    const look = (i: number, count = 1) => perPicture(d.wetLook, i, count)
    const rough = tf.mul(tf.mul(pores, tf.sub(1, isEye)), 0.05)
    const offset = tf.add(tf.sub(channels(normals, 0, 2), look(0, 2)), rough)
    const distance = tf.sum(tf.square(offset), 3, true)
    const sharpness = blend(look(2), look(3), isEye)
    const strength = tf.add(tf.mul(isEye, look(4)), tf.add(tf.mul(isLip, look(5)), look(6)))
    const front = tf.cast(tf.greater(channels(normals, 2), 0), 'float32')
    const spot = tf.mul(tf.mul(tf.exp(tf.neg(tf.mul(distance, sharpness))), strength), front)
    return tf.mul(spot, perPicture(d.lightColor)) as tf.Tensor4D
  }

  /** The shadow of something unseen, with an edge as soft as sampled: factor of the light. */
  function dappledShadow(d: Sampled<SceneSamples>, at: tf.Tensor4D): tf.Tensor4D {
    const look = (i: number, count = 1) => perPicture(d.castShadow, i, count)
    const cloud = lookUp(textures.clouds, tf.add(tf.mul(at, look(3)), look(4, 2)) as tf.Tensor4D)
    const dark = ramp(channels(cloud, 0), look(1), look(2))
    return tf.sub(1, tf.mul(dark, look(0)))
  }

  /** What is seen through the opening between the lips. */
  function renderMouth(placed: PlacedScene, irradiance: tf.Tensor): tf.Tensor4D {
    const seen = seeLayer(mouth, placed.clip, size)
    const lit = seen.spread(seen.rows(placed.attributes))
    const uv = seen.spread(mouthUv)
    const isTooth = seen.pick(mouthTable)
    // Dark lines between fourteen teeth.
    const phase = tf.mul(tf.sub(channels(uv, 0), 0.5), 14 * Math.PI)
    const gap = tf.mul(ramp(tf.abs(tf.cos(tf.add(phase, Math.PI / 2))), 0, 4), 0.45)
    const shade = tf.add(tf.sub(1, tf.mul(isTooth, 0.45)), tf.mul(isTooth, gap))
    const inside = tf.mul(
      tf.add(
        tf.mul(
          tf.mul(
            channels(lit, ATTRIBUTES.albedo, 3),
            tf.maximum(channels(lit, ATTRIBUTES.irradiance, 3), 0.01),
          ),
          shade,
        ),
        tf.mul(channels(lit, ATTRIBUTES.specular, 3), 0.5),
      ),
      0.8,
    )
    const dark = tf.mul(irradiance, tf.mul(perPicture(placed.skin), tf.tensor1d([0.12, 0.06, 0.06])))
    return blend(dark, inside, seen.there)
  }

  return { render, dispose: () => tf.dispose([fixed, table, mouthTable, mouthUv]) }
}
