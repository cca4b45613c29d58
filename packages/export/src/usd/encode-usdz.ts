import { writeFileAtomic } from '@facekit/core'
import { encodeMap } from '../encode-png.js'
import { checkFaceMesh, type CheckedMesh, type FaceMesh } from '../face-mesh.js'
import { bakeCheckedTextures, type FaceTextures } from '../face-textures.js'
import { mouthColor } from '../mouth-color.js'
import { packUsdz } from './pack-usdz.js'
import { DIELECTRIC_F0, indexOfRefraction, LARGEST_F0, meanColor } from '../reflectance.js'
import { roughnessFromShininess } from '../roughness.js'
import { separateVertices } from '../separate-vertices.js'
import { unitLength } from '../unit-length.js'
import { usdMaterial } from './usd-material.js'
import { usdArray, usdName, usdPrim, usdString, usdTuple } from './usd-text.js'

/** Options of `encodeUsdz`. */
export interface UsdzOptions {
  /** Width and height of the maps in texels. Default 512. */
  size?: number
  /** Maps of `bakeFaceTextures` or `encodeFaceTextures`, when they are there already; `size` is ignored then. */
  textures?: FaceTextures
  /** Name of the prim that holds the face; what is no letter and no digit becomes an underscore. Default 'face'. */
  name?: string
  /** Texts that the layer carries along (`customLayerData`), by name. */
  extras?: Readonly<Record<string, string>>
}

/** Encodes a face as USDZ, for Quick Look, Reality Composer and other programs that read OpenUSD: metres, y up, maps inside, stored uncompressed.
 *
 * The material is a `UsdPreviewSurface` in its specular workflow: `specularColor` is the specular albedo, sRGB texels times `specularScale`,
 * and the exponent of Blinn-Phong becomes a roughness, see `roughnessFromShininess`. Programs without that workflow take the index of refraction
 * of the mean specular albedo. A mesh without UV gets its diffuse albedo on vertices and one mean specular colour. What closes the mouth is a mesh
 * of its own. The mesh is written as it is given: blend shapes are in GLB only.
 *
 * @returns the bytes of a .usdz file; the same for the same face
 * @throws {ShapeError} when sizes of the mesh do not fit together
 * @throws {ValueError} when a number of the mesh is not finite, or the size of the maps is absurd
 * @example
 * await writeFile('face.usdz', encodeUsdz(mesh, { size: 1024 }))
 */
export function encodeUsdz(mesh: FaceMesh, options: UsdzOptions = {}): Uint8Array {
  const face = checkFaceMesh('encodeUsdz', mesh)
  const { size, extras = {} } = options
  const root = usdName(options.name ?? 'face')
  const textures = face.uv && (options.textures ?? bakeCheckedTextures({ ...face, uv: face.uv }, { size }))
  const files = new Map<string, Uint8Array>([['face.usda', new Uint8Array()]])
  const map = (name: string, picture: Parameters<typeof encodeMap>[0]) => {
    const file = `textures/${name}.png`
    files.set(file, encodeMap(picture))
    return file
  }
  const materials = `/${root}/materials`
  const specular = meanColor(face.specular)
  const reflectance = Math.min(Math.max((specular[0] + specular[1] + specular[2]) / 3, 1e-4), LARGEST_F0)
  const skin = usdMaterial(`${materials}/skin`, {
    diffuse: textures ? { map: map('diffuse', textures.diffuse) } : { primvar: 'displayColor' },
    specular: textures
      ? { map: map('specular', textures.specular), scale: textures.specularScale }
      : { color: specular },
    roughness: roughnessFromShininess(face.shininess),
    ior: indexOfRefraction(reflectance),
    ...(textures?.normal && { normal: map('normal', textures.normal) }),
  })
  const meshes = [usdMesh('skin', everything(face), face.triangles, `${materials}/skin`)]
  const shaders = [skin]
  if (face.innerMouthTriangles.length > 0) {
    const picture = face.innerMouthUv && textures?.mouth
    shaders.push(
      usdMaterial(`${materials}/inner_mouth`, {
        diffuse: picture ? { map: map('mouth', picture) } : { color: mouthColor },
        specular: { color: [DIELECTRIC_F0, DIELECTRIC_F0, DIELECTRIC_F0] },
        roughness: picture ? 0.6 : 1,
        ior: 1.5,
      }),
    )
    const { vertices, triangles } = separateVertices(face.innerMouthTriangles, 0)
    const part = {
      vertices: pick(face.vertices, vertices, 3),
      normals: pick(face.normals, vertices, 3),
      ...(picture && { uv: pick(face.innerMouthUv!, vertices, 2) }),
    }
    meshes.push(usdMesh('inner_mouth', part, triangles, `${materials}/inner_mouth`))
  }
  const layer = usdPrim('Xform', root, [...meshes, usdPrim('Scope', 'materials', shaders)], {
    metadata: 'kind = "component"',
  })
  files.set('face.usda', new TextEncoder().encode(`${header(root, extras)}\n${layer}\n`))
  return packUsdz(files)
}

/** Writes a face as .usdz file, whole or not at all. Node only.
 *
 * @throws as `encodeUsdz`, or the file system's own error
 */
export async function writeUsdz(mesh: FaceMesh, path: string, options: UsdzOptions = {}): Promise<void> {
  await writeFileAtomic(path, encodeUsdz(mesh, options))
}

function header(root: string, extras: Readonly<Record<string, string>>): string {
  const data = Object.entries({ ...extras, creator: 'facekit' }).map(
    ([name, value]) => `        string ${usdName(name)} = ${usdString(value)}`,
  )
  return [
    '#usda 1.0',
    '(',
    '    customLayerData = {',
    ...data,
    '    }',
    `    defaultPrim = "${root}"`,
    '    metersPerUnit = 1',
    '    upAxis = "Y"',
    ')',
  ].join('\n')
}

interface Part {
  /** mm */
  vertices: Float32Array
  normals: Float32Array
  uv?: Float32Array
  colors?: Float32Array
}

const everything = ({ vertices, normals, uv, diffuse }: CheckedMesh): Part => ({
  vertices,
  normals,
  ...(uv ? { uv } : { colors: diffuse.map((value) => Math.min(Math.max(value, 0), 1)) }),
})

function usdMesh(name: string, part: Part, triangles: Int32Array, material: string): string {
  const points = Float64Array.from(part.vertices, (value) => value / 1000)
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (let i = 0; i < points.length; i++) {
    low[i % 3] = Math.min(low[i % 3], points[i])
    high[i % 3] = Math.max(high[i % 3], points[i])
  }
  const perVertex = (declaration: string, values: ArrayLike<number>, width: 2 | 3) =>
    `${declaration} = ${usdArray(values, width)} (\n    interpolation = "vertex"\n)`
  return usdPrim(
    'Mesh',
    name,
    [
      'uniform token subdivisionScheme = "none"',
      `float3[] extent = [${usdTuple(low)}, ${usdTuple(high)}]`,
      `int[] faceVertexCounts = ${usdArray(new Uint8Array(triangles.length / 3).fill(3))}`,
      `int[] faceVertexIndices = ${usdArray(triangles)}`,
      `point3f[] points = ${usdArray(points, 3)}`,
      perVertex('normal3f[] normals', unitLength(part.normals), 3),
      ...(part.uv ? [perVertex('texCoord2f[] primvars:st', part.uv, 2)] : []),
      ...(part.colors ? [perVertex('color3f[] primvars:displayColor', part.colors, 3)] : []),
      `rel material:binding = <${material}>`,
    ],
    { metadata: 'prepend apiSchemas = ["MaterialBindingAPI"]' },
  )
}

function pick(values: Float32Array, vertices: readonly number[], width: number): Float32Array {
  return Float32Array.from(
    { length: vertices.length * width },
    (_, i) => values[vertices[Math.floor(i / width)] * width + (i % width)],
  )
}
