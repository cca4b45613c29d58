import type { FaceMesh, PictureArray } from '@facekit/export'
import ndarray, { type NdArray } from 'ndarray'

/** What `renderFace` says about the pixels of one picture, on the CPU. */
export interface RenderedPixels {
  /** Width and height. */
  size: number
  /** `[S * S * 3]` encoded, over black. */
  image: ArrayLike<number>
  /** `[S * S]` share of the pixel that is skin. */
  mask: ArrayLike<number>
  /** `[S * S]` triangle of the pixel, those of the inner mouth after those of the face; -1: none. */
  triangleIds: ArrayLike<number>
  /** `[S * S * 3]` */
  barycentrics: ArrayLike<number>
}

type Color = readonly [number, number, number]

/** Names of the panels, in their order. */
export const panelLabels = ['input', 'overlay', 'shape', 'diffuse', 'specular', 'lit'] as const
/** Name of the panel that follows where the fit knows how sure it is. */
export const uncertaintyLabel = 'uncertainty, white: 5 mm'
/** Millimetres. */
export const MOST_UNCERTAIN = 5

/** Direction of the light on the grey shape. */
const CLAY_LIGHT = normalize([0.25, 0.45, 1])
const CLAY: Color = [0.95, 0.97, 1]
/** What is seen between the lips, linear. */
const MOUTH: Color = [0.02, 0.006, 0.006]

/** The pictures of panels.png.
 *
 * @param crop - `[S, S, 3]` encoded
 * @param mesh - in world space, with normals
 */
export function facePictures(
  crop: NdArray<Float32Array>,
  pixels: RenderedPixels,
  mesh: Required<Pick<FaceMesh, 'triangles' | 'innerMouthTriangles'>> &
    Record<'normals' | 'diffuse' | 'specular', Float32Array> & { uncertainty?: Float32Array },
): PictureArray[] {
  const { size, image, mask } = pixels
  const overlay = ndarray(new Float32Array(size * size * 3), [size, size, 3])
  const lit = ndarray(Float32Array.from(image), [size, size, 3])
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const pixel = y * size + x
      for (let c = 0; c < 3; c++) {
        // The rendering lies over black: what is missing of it is the photograph.
        overlay.set(y, x, c, image[3 * pixel + c] + (1 - mask[pixel]) * crop.get(y, x, c))
      }
    }
  }
  const draw = (values: Float32Array, shade: (value: Color) => Color) =>
    drawVertices(values, shade, pixels, mesh)
  const clay = draw(mesh.normals, (normal) => {
    const [x, y, z] = normalize(normal)
    const light = 0.05 + 0.55 * Math.max(0, x * CLAY_LIGHT[0] + y * CLAY_LIGHT[1] + z * CLAY_LIGHT[2])
    return [light * CLAY[0], light * CLAY[1], light * CLAY[2]]
  })
  const same = (value: Color) => value
  const pictures = [crop, overlay, clay, draw(mesh.diffuse, same), draw(mesh.specular, same), lit]
  const { uncertainty } = mesh
  if (uncertainty) {
    const heat = Float32Array.from({ length: 3 * uncertainty.length }, (_, i) => {
      const share = uncertainty[Math.floor(i / 3)] / MOST_UNCERTAIN
      return heatColor(share)[i % 3]
    })
    pictures.push(draw(heat, same))
  }
  return pictures
}

/** Black, red, yellow, white for 0 to 1, encoded evenly. */
function heatColor(share: number): Color {
  const ramp = (from: number) => Math.min(1, Math.max(0, 3 * share - from)) ** 2.2
  return [ramp(0), ramp(1), ramp(2)]
}

/** Draws values of vertices, shaded pixel by pixel, over black; the edges are as soft as the mask. */
function drawVertices(
  values: Float32Array,
  shade: (value: Color) => Color,
  { size, mask, triangleIds, barycentrics }: RenderedPixels,
  { triangles, innerMouthTriangles }: { triangles: Int32Array; innerMouthTriangles: Int32Array },
): NdArray<Float32Array> {
  const picture = new Float32Array(size * size * 3)
  const count = triangles.length / 3
  for (let pixel = 0; pixel < size * size; pixel++) {
    const id = triangleIds[pixel]
    if (id < 0 || id >= count + innerMouthTriangles.length / 3) continue
    const inside = id < count
    let color = MOUTH
    if (inside) {
      const sum: [number, number, number] = [0, 0, 0]
      for (let corner = 0; corner < 3; corner++) {
        const weight = barycentrics[3 * pixel + corner]
        const vertex = triangles[3 * id + corner]
        for (let c = 0; c < 3; c++) sum[c] += weight * values[3 * vertex + c]
      }
      color = shade(sum)
    }
    const cover = inside ? mask[pixel] : 1
    for (let c = 0; c < 3; c++) {
      picture[3 * pixel + c] = cover * Math.min(Math.max(color[c], 0), 1) ** (1 / 2.2)
    }
  }
  return ndarray(picture, [size, size, 3])
}

function normalize([x, y, z]: Color): Color {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}
