import { ShapeError, ValueError } from '@facekit/core'
import type { Picture } from '@facekit/annotate'
import type { MorphableModel } from '@facekit/morphable'
import ndarray, { type NdArray } from 'ndarray'
import { clearSclera } from './clear-sclera.js'
import { colorLike } from './color-like.js'
import { dampHighlights } from './damp-highlights.js'
import { detailMaps } from './detail-maps.js'
import { fillFromOtherSide, fillHidden, type PartialTexture } from './fill-hidden.js'
import { fillUncovered } from './fill-uncovered.js'
import { flattenShadows } from './flatten-shadows.js'
import { followModel } from './follow-model.js'
import { matchTones } from './match-tones.js'
import { mouthMap } from './mouth-map.js'
import { photographTexture } from './photograph-texture.js'
import { eyeZone, takeOffGlasses } from './take-off-glasses.js'
import { removeHighlights } from './remove-highlights.js'
import { shadingMap } from './shading-map.js'
import { seenFace, type PhotographFit, type SeenFace } from './seen-face.js'
import { trimBorder } from './trim-border.js'
import { spreadOverUv, uvOf, uvSurface } from './uv-surface.js'

/** Options of `createFaceTextures`. */
export interface FaceTexturesOptions {
  /** Width and height of the maps, texels: a power of two from 64 to 4096. Default 1024. */
  size?: number
  /** Whether fine shades become relief: `normal` and `displacement`. Default true. */
  detail?: boolean
  /** Stops the work between two steps; the promise is rejected with the signal's reason. */
  signal?: AbortSignal
}

/** Maps of a face over its model's UV, top row first (v = 1). */
export interface FaceAppearance {
  /** `[S, S, 3]` diffuse albedo, linear RGB, 0..1. */
  diffuse: NdArray<Float32Array>
  /** `[S, S, 3]` specular albedo, linear RGB, 0..1. */
  specular: NdArray<Float32Array>
  /** `[S, S, 3]` normals of fine relief, unit length, tangent space: x along u, y along v, z out of the surface. With `detail`. */
  normal?: NdArray<Float32Array>
  /** `[S, S]` fine relief, mm outwards. With `detail`. */
  displacement?: NdArray<Float32Array>
  /** `[128, 256, 3]` what is seen between the lips, linear RGB, laid out by `innerMouthUv` of the model; where a photograph shows an open mouth. */
  mouth?: NdArray<Float32Array>
  /** `[S, S]` how far the photographs show a texel, 0..1; the rest is filled from the other side of the face and from the model. */
  seen: NdArray<Float32Array>
  /** For each photograph `[64, 64, 3]` the part of its light that the fit does not know, as a factor of the fitted irradiance: shadows, second lamps. The maps in the fitted light
   * times this are the photograph; in any other light it has no place. */
  shading: NdArray<Float32Array>[]
}

/** Makes the maps of a face from its photographs: sharp where they show it, without their light.
 *
 * Each photograph is brought to UV by the rasterizer; the fitted light is divided out, the fitted highlight subtracted and what is left of
 * highlights removed (dichromatic model); coarse colours are drawn towards the fitted albedo. Several photographs, whose lights differ, are brought to
 * one tone by smooth factors where they overlap, and blended by how squarely they show a place, without what covers the face (`faceRegion`). What none shows is filled from the mirrored side and from the model's albedo, without a seam
 * (a membrane over UV, Perez et al., SIGGRAPH 2003). Deterministic.
 *
 * @param photographs - the pictures that were fitted
 * @param fits - for each photograph its fit; of one person, with the same model
 * @param model - the model that was fitted; must have UV
 * @differentiable no
 * @memory plain arrays; no tensor is left behind. About 40 numbers a texel on the way
 * @throws {ShapeError} when there are not as many fits as photographs
 * @throws {ValueError} when the model has no UV, or the size is no power of two from 64 to 4096
 * @example
 * const result = await fitFace(picture, annotation, model)
 * const { diffuse } = await createFaceTextures([picture], [{ ...result, annotation }], model)
 */
export async function createFaceTextures(
  photographs: readonly Picture[],
  fits: readonly PhotographFit[],
  model: MorphableModel,
  options: FaceTexturesOptions = {},
): Promise<FaceAppearance> {
  const { size = 1024, detail = true, signal } = options
  if (!(Number.isInteger(Math.log2(size)) && size >= 64 && size <= 4096))
    throw new ValueError(`createFaceTextures: size is ${size}, expected a power of two from 64 to 4096`)
  if (photographs.length !== fits.length || fits.length === 0)
    throw new ShapeError(
      `createFaceTextures: ${photographs.length} photographs but ${fits.length} fits; give one fit for each`,
    )
  const uv = uvOf(model)
  const surface = await uvSurface(model, uv, size)
  const covered = new Float32Array(surface.triangleIds.length)
  for (let texel = 0; texel < covered.length; texel++) covered[texel] = surface.triangleIds[texel] < 0 ? 0 : 1
  const faces: SeenFace[] = []
  for (const [i, fit] of fits.entries()) {
    signal?.throwIfAborted()
    // A face fills about half of the crop and of its map.
    faces.push(await seenFace(photographs[i], fit, model, uv, Math.round(1.2 * size)))
  }
  const albedo = spreadOverUv(surface, mean(faces.map((face) => face.diffuse)), 3)
  const specular = spreadOverUv(surface, mean(faces.map((face) => face.specular)), 3)
  const symmetric = isSymmetric(covered, size)
  const zone = eyeZone(model, uv)
  const eyes = spreadOverUv(surface, faces[0].eyeballs, 1)
  const features = spreadOverUv(surface, regionOf(model, ...FEATURES), 1)
  const brows = spreadOverUv(surface, regionOf(model, 'brows'), 1)
  const textures = faces.map((face) => {
    signal?.throwIfAborted()
    const texture = photographTexture(surface, face)
    const before = { color: texture.color.slice(), weight: texture.weight.slice() }
    if (zone) takeOffGlasses(texture, { states: texture.states, albedo, brows, size, zone, symmetric })
    trimBorder(texture, { albedo, features, size })
    if (face.monochrome) colorLike(texture.color, albedo)
    else removeHighlights(texture, size)
    const uneven = followModel(texture, albedo, size)
    if (zone) flattenShadows(texture, { albedo, features, uneven, beard: zone.bottom, symmetric, size })
    clearSclera(texture, eyes, albedo)
    // What is burnt out or dark says nothing of the skin, but where the light is; what was taken for something before the face does not.
    const { shown } = texture
    for (let texel = 0; texel < shown.length; texel++)
      if (before.weight[texel] > 0) shown[texel] *= texture.weight[texel] / before.weight[texel]
    return { ...texture, before: before.color }
  })
  matchTones(textures, size)
  const kept = dampHighlights(specular, textures, { eyes, size })
  const texture = textures.length === 1 ? textures[0] : blend(textures)
  const seen = texture.weight.slice()
  signal?.throwIfAborted()
  if (symmetric) fillFromOtherSide(texture, size)
  fillHidden(texture, { color: albedo, weight: covered }, size)
  const { normal, displacement } = detail
    ? detailMaps({
        size,
        color: texture.color,
        albedo,
        covered,
        seen,
        slopes: spreadOverUv(surface, mean(faces.map(({ slopes }) => slopes)), 2),
        texel: faces[0].uvWidth / size,
      })
    : {}
  fillUncovered(texture.color, covered, size, 3)
  fillUncovered(specular, covered, size, 3)
  const map = (values: Float32Array) => {
    for (let i = 0; i < values.length; i++) values[i] = Math.min(Math.max(values[i], 0), 1)
    return ndarray(values, [size, size, 3])
  }
  const diffuse = map(texture.color)
  const shading: NdArray<Float32Array>[] = []
  for (const [i, { before, shown, shine }] of textures.entries())
    shading.push(
      await shadingMap({ before, weight: shown, shine, diffuse: texture.color, kept }, faces[i], model, uv),
    )
  const mouth = mouthMap(faces, model)
  return {
    ...(mouth && { mouth }),
    ...(normal &&
      displacement && {
        normal: ndarray(normal, [size, size, 3]),
        displacement: ndarray(displacement, [size, size]),
      }),
    diffuse,
    specular: map(specular),
    seen: ndarray(seen, [size, size]),
    shading,
  }
}

function mean(arrays: readonly Float32Array[]): Float32Array {
  if (arrays.length === 1) return arrays[0]
  return arrays[0].map((_, i) => arrays.reduce((sum, array) => sum + array[i], 0) / arrays.length)
}

/** What has colours of its own. */
const FEATURES = ['lips', 'brows', 'lids', 'lidMargins', 'eyeLeft', 'eyeRight', 'innerMouth'] as const

/** `[N]` 1 for the vertices of some regions. */
function regionOf({ regions, vertexCount }: MorphableModel, ...names: readonly string[]): Float32Array {
  const mask = new Float32Array(vertexCount)
  for (const name of names) for (const vertex of regions?.[name] ?? []) mask[vertex] = 1
  return mask
}

/** Weighted means; the sharper view of a place counts more than in proportion. */
function blend(textures: readonly PartialTexture[]): PartialTexture {
  const [{ color, weight }] = textures
  const blended = { color: new Float32Array(color.length), weight: new Float32Array(weight.length) }
  for (let texel = 0; texel < weight.length; texel++) {
    let total = 0
    for (const other of textures) {
      const share = other.weight[texel] ** 3
      total += share
      for (let c = 0; c < 3; c++) blended.color[3 * texel + c] += share * other.color[3 * texel + c]
      blended.weight[texel] = Math.max(blended.weight[texel], other.weight[texel])
    }
    if (total > 0) for (let c = 0; c < 3; c++) blended.color[3 * texel + c] /= total
  }
  return blended
}

/** Whether UV maps the two sides of a face to each other by turning it over. */
function isSymmetric(covered: Float32Array, size: number): boolean {
  let [same, all] = [0, 0]
  for (let texel = 0; texel < covered.length; texel++) {
    if (!covered[texel]) continue
    all++
    same += covered[texel - (texel % size) + size - 1 - (texel % size)]
  }
  return same > 0.98 * all
}
