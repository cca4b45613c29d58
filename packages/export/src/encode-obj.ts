import { ValueError, writeFileAtomic } from '@facekit/core'
import { encodeSrgb } from './color-encoding.js'
import { encodePng } from './encode-png.js'
import { checkFaceMesh, type CheckedMesh, type FaceMesh } from './face-mesh.js'
import { bakeFaceTextures, type FaceTextures } from './face-textures.js'

/** Options of `encodeObj`. */
export interface ObjOptions {
  /** Width and height of the maps in texels. Default 512. */
  size?: number
  /** Maps of `createFaceTextures`, when they are there already; `size` is ignored then. */
  textures?: FaceTextures
  /** Begins the names of the files: `<name>.obj`, `<name>.mtl`, `<name>-diffuse.png`, `<name>-specular.png`. Default 'face'. */
  name?: string
}

/** Encodes a face as Wavefront OBJ with its materials and maps: millimetres, UV origin at the lower left.
 *
 * In the material `Ks * map_Ks` is the specular albedo and `Ns` the exponent of Blinn-Phong; both maps are sRGB. A
 * mesh without UV has no maps: its diffuse albedo stands behind each vertex (`v x y z r g b`, sRGB in 0..1).
 *
 * @returns file names and contents, the .obj first
 * @throws {ShapeError} when sizes of the mesh do not fit together
 * @throws {ValueError} when a number of the mesh is not finite, a size is absurd, or the name has a space or a slash
 */
export function encodeObj(mesh: FaceMesh, options: ObjOptions = {}): Map<string, Uint8Array | string> {
  const { name = 'face', size } = options
  if (!/^[\w.-]+$/.test(name)) {
    throw new ValueError(
      `encodeObj: name is "${name}", expected letters, digits, dots, dashes and underscores`,
    )
  }
  const face = checkFaceMesh('encodeObj', mesh)
  const files = new Map<string, Uint8Array | string>()
  files.set(`${name}.obj`, objText(face, name))
  const skin = ['newmtl skin', 'Ka 0 0 0', 'Kd 1 1 1', `Ns ${number(face.shininess)}`, 'illum 2']
  if (face.uv) {
    const { textures = bakeFaceTextures({ ...face, uv: face.uv }, { size }) } = options
    const scale = number(textures.specularScale)
    skin.push(`Ks ${scale} ${scale} ${scale}`, `map_Kd ${name}-diffuse.png`, `map_Ks ${name}-specular.png`)
    files.set(`${name}.mtl`, mtlText(skin))
    files.set(`${name}-diffuse.png`, encodePng(textures.diffuse))
    files.set(`${name}-specular.png`, encodePng(textures.specular))
  } else {
    const mean = face.specular.reduce((sum, value) => sum + value, 0) / face.specular.length
    skin.push(`Ks ${`${number(mean)} `.repeat(3).trim()}`)
    files.set(`${name}.mtl`, mtlText(skin))
  }
  return files
}

/** Writes a face as .obj file, with its .mtl and maps beside it; each file whole or not at all. Node only.
 *
 * @param path - of the .obj; its name, without the ending, begins the names of the other files
 * @throws as `encodeObj`, or the file system's own error
 */
export async function writeObj(
  mesh: FaceMesh,
  path: string,
  options: Omit<ObjOptions, 'name'> = {},
): Promise<void> {
  const { basename, dirname, join } = await import(/* webpackIgnore: true */ 'node:path')
  const files = encodeObj(mesh, { ...options, name: basename(path).replace(/\.obj$/i, '') })
  // The .obj last: whoever sees it finds the files that it names.
  for (const [file, content] of [...files].toReversed()) {
    await writeFileAtomic(file.endsWith('.obj') ? path : join(dirname(path), file), content)
  }
}

function objText(face: CheckedMesh, name: string): string {
  const lines = [
    '# facekit: millimetres, right-handed, y up, z out of the face',
    `mtllib ${name}.mtl`,
    `o ${name}`,
  ]
  const triple = (values: ArrayLike<number>, i: number) =>
    `${number(values[3 * i])} ${number(values[3 * i + 1])} ${number(values[3 * i + 2])}`
  for (let i = 0; i < face.count; i++) {
    const color = face.uv ? '' : ` ${triple(face.diffuse.subarray(3 * i, 3 * i + 3).map(encodeSrgb), 0)}`
    lines.push(`v ${triple(face.vertices, i)}${color}`)
  }
  if (face.uv) {
    for (let i = 0; i < face.count; i++)
      lines.push(`vt ${number(face.uv[2 * i])} ${number(face.uv[2 * i + 1])}`)
  }
  for (let i = 0; i < face.count; i++) lines.push(`vn ${triple(face.normals, i)}`)
  const corner = (index: number) => `${index + 1}/${face.uv ? index + 1 : ''}/${index + 1}`
  const write = (group: string, triangles: Int32Array) => {
    lines.push(`g ${group}`, `usemtl ${group}`)
    for (let t = 0; t < triangles.length; t += 3) {
      lines.push(`f ${corner(triangles[t])} ${corner(triangles[t + 1])} ${corner(triangles[t + 2])}`)
    }
  }
  write('skin', face.triangles)
  if (face.innerMouthTriangles.length > 0) write('inner-mouth', face.innerMouthTriangles)
  return `${lines.join('\n')}\n`
}

const mtlText = (skin: string[]): string =>
  `${[...skin, '', 'newmtl inner-mouth', 'Ka 0 0 0', 'Kd 0.15 0.08 0.08', 'Ks 0 0 0', 'illum 1'].join('\n')}\n`

/** Six decimals, and no exponent: some readers of OBJ know none. */
function number(value: number): string {
  return String(Number(value.toFixed(6)))
}
