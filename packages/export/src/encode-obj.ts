import { showValue, ValueError, writeFileAtomic } from '@facekit/core'
import ndarray from 'ndarray'
import { encodeSrgb } from './color-encoding.js'
import { encodeHeights, encodeMap, encodePng, ownPictureText } from './encode-png.js'
import { checkFaceMesh, type CheckedMesh, type FaceMesh } from './face-mesh.js'
import { bakeCheckedTextures, DISPLACEMENT_RANGE, type FaceTextures } from './face-textures.js'
import { mouthBytes, mouthColor } from './mouth-color.js'
import { separateVertices } from './separate-vertices.js'

/** Options of `encodeObj`. */
export interface ObjOptions {
  /** Width and height of the maps in texels. Default 512. */
  size?: number
  /** Maps of `bakeFaceTextures` or `encodeFaceTextures`, when they are there already; `size` is ignored then. */
  textures?: FaceTextures
  /** Begins the names of the files: `<name>.obj`, `<name>.mtl`, `<name>-diffuse.png`, `<name>-specular.png`, `<name>-mouth.png`; in all but
   * the first, spaces and # become underscores. Default 'face'. */
  name?: string
  /** Begins the names of materials and maps of another OBJ in the same folder, which this one uses, too: only the `.obj` is made. */
  materials?: string
}

/** Encodes a face as Wavefront OBJ with its materials and maps: millimetres, UV origin at the lower left.
 *
 * In the material `Ks * map_Ks` is the specular albedo and `Ns` the exponent of Blinn-Phong; maps are sRGB. The colour of the mouth
 * is a map, too, of one texel: programs disagree whether `Kd` is linear or sRGB, not about maps. Relief is a displacement map of 16 bits, `disp -mm base gain` in
 * millimetres. A mesh without UV has no maps: its
 * diffuse albedo stands behind each vertex (`v x y z r g b`, sRGB in 0..1).
 *
 * @returns file names and contents, the .obj first; the text is UTF-8
 * @throws {ShapeError} when sizes of the mesh do not fit together
 * @throws {ValueError} when a number of the mesh is not finite, a size is absurd, or the name is no name of a file
 */
export function encodeObj(mesh: FaceMesh, options: ObjOptions = {}): Map<string, Uint8Array | string> {
  const { name = 'face', size } = options
  // eslint-disable-next-line no-control-regex
  if (name === '' || /[/\\:*?"<>|\u0000-\u001f\u007f]/.test(name)) {
    throw new ValueError(
      `encodeObj: name is ${showValue(name)}, expected the name of a file, without slashes and any of : * ? " < > |`,
    )
  }
  // Spaces part several names, and # begins a comment.
  const reference = (options.materials ?? name).replaceAll(/[\s#]+/g, '_')
  const face = checkFaceMesh('encodeObj', mesh)
  const files = new Map<string, Uint8Array | string>()
  const mouthMap = face.innerMouthUv && options.textures?.mouth
  files.set(`${name}.obj`, objText(face, name, reference, mouthMap && face.innerMouthUv))
  if (options.materials !== undefined) return files
  const skin = ['newmtl skin', 'Ka 0 0 0', 'Kd 1 1 1', `Ns ${number(face.shininess)}`, 'illum 2']
  const mouth = ['newmtl inner-mouth', 'Ka 0 0 0', 'Kd 1 1 1', 'Ks 0 0 0', 'illum 1']
  const hasMouth = face.innerMouthTriangles.length > 0
  if (face.uv) {
    const { textures = bakeCheckedTextures({ ...face, uv: face.uv }, { size }) } = options
    // All digits: `readFaceTextures` takes it from here, and what it is read for must not drift.
    const scale = String(textures.specularScale)
    skin.push(
      `Ks ${scale} ${scale} ${scale}`,
      `map_Kd ${reference}-diffuse.png`,
      `map_Ks ${reference}-specular.png`,
    )
    if (textures.normal) {
      skin.push(`norm ${reference}-normal.png`)
      files.set(`${reference}-normal.png`, encodeMap(textures.normal))
    }
    if (textures.displacement) {
      // Base and gain: what black stands for, and what is added to it at white.
      const [base, gain] = [-DISPLACEMENT_RANGE, 2 * DISPLACEMENT_RANGE]
      skin.push(`disp -mm ${number(base)} ${number(gain)} ${reference}-displacement.png`)
      files.set(`${reference}-displacement.png`, encodeHeights(textures.displacement))
    }
    if (textures.shading) {
      // A material has no word for it; `readFaceTextures` knows it by the comment.
      skin.push(`# shading ${reference}-shading.png`)
      files.set(`${reference}-shading.png`, encodeMap(textures.shading))
    }
    mouth.push(`map_Kd ${reference}-mouth.png`)
    files.set(`${reference}.mtl`, mtlText(skin, hasMouth ? mouth : []))
    files.set(`${reference}-diffuse.png`, encodeMap(textures.diffuse))
    files.set(`${reference}-specular.png`, encodeMap(textures.specular))
    if (hasMouth)
      files.set(
        `${reference}-mouth.png`,
        mouthMap
          ? encodeMap(mouthMap)
          : encodePng(ndarray(mouthBytes(), [1, 1, 3]), { text: ownPictureText }),
      )
  } else {
    const mean = face.specular.reduce((sum, value) => sum + value, 0) / face.specular.length
    skin.push(`Ks ${`${number(mean)} `.repeat(3).trim()}`)
    files.set(`${reference}.mtl`, mtlText(skin, hasMouth ? mouth : []))
  }
  return files
}

/** Writes a face as .obj file, with its .mtl and maps beside it; each file whole or not at all. Node only.
 *
 * @param path - of the .obj; its name, without the ending, begins the names of the other files
 * @returns names of the files in that folder, the .obj first
 * @throws as `encodeObj`, or the file system's own error
 */
export async function writeObj(
  mesh: FaceMesh,
  path: string,
  options: Omit<ObjOptions, 'name'> = {},
): Promise<string[]> {
  const { basename, dirname, join } = await import(/* webpackIgnore: true */ 'node:path')
  const files = encodeObj(mesh, { ...options, name: basename(path).replace(/\.obj$/i, '') })
  // The .obj last: whoever sees it finds the files that it names.
  for (const [file, content] of [...files].toReversed()) {
    await writeFileAtomic(file.endsWith('.obj') ? path : join(dirname(path), file), content)
  }
  return [basename(path), ...[...files.keys()].slice(1)]
}

function objText(
  face: CheckedMesh,
  name: string,
  reference: string,
  mouthUv: Float32Array | undefined,
): string {
  const lines = [
    '# facekit: millimetres, right-handed, y up, z out of the face',
    `mtllib ${reference}.mtl`,
    `o ${name}`,
  ]
  // Where colours stand behind vertices, those of the mouth are written once more: lips and mouth meet there.
  const mouth = face.uv
    ? { vertices: [], triangles: face.innerMouthTriangles }
    : separateVertices(face.innerMouthTriangles, face.count)
  const dark = mouthColor.map(encodeSrgb)
  const triple = (values: ArrayLike<number>, i: number) =>
    `${number(values[3 * i])} ${number(values[3 * i + 1])} ${number(values[3 * i + 2])}`
  for (let i = 0; i < face.count; i++) {
    const color = face.uv ? '' : ` ${triple(face.diffuse.subarray(3 * i, 3 * i + 3).map(encodeSrgb), 0)}`
    lines.push(`v ${triple(face.vertices, i)}${color}`)
  }
  for (const i of mouth.vertices) lines.push(`v ${triple(face.vertices, i)} ${triple(dark, 0)}`)
  if (face.uv) {
    for (let i = 0; i < face.count; i++)
      lines.push(`vt ${number(face.uv[2 * i])} ${number(face.uv[2 * i + 1])}`)
  }
  // Lips have a place on the map of the skin, and one on that of the mouth.
  const onMouthMap = new Map<number, number>()
  if (face.uv && mouthUv) {
    for (const i of new Set(face.innerMouthTriangles)) {
      onMouthMap.set(i, face.count + onMouthMap.size + 1)
      lines.push(`vt ${number(mouthUv[2 * i])} ${number(mouthUv[2 * i + 1])}`)
    }
  }
  for (let i = 0; i < face.count; i++) lines.push(`vn ${triple(face.normals, i)}`)
  for (const i of mouth.vertices) lines.push(`vn ${triple(face.normals, i)}`)
  const write = (group: string, triangles: Int32Array, places?: ReadonlyMap<number, number>) => {
    const corner = (index: number) =>
      `${index + 1}/${face.uv ? (places?.get(index) ?? index + 1) : ''}/${index + 1}`
    lines.push(`g ${group}`, `usemtl ${group}`)
    for (let t = 0; t < triangles.length; t += 3) {
      lines.push(`f ${corner(triangles[t])} ${corner(triangles[t + 1])} ${corner(triangles[t + 2])}`)
    }
  }
  write('skin', face.triangles)
  if (mouth.triangles.length > 0) write('inner-mouth', mouth.triangles, onMouthMap)
  return `${lines.join('\n')}\n`
}

const mtlText = (...materials: string[][]): string =>
  `${materials
    .map((lines) => lines.join('\n'))
    .join('\n\n')
    .trim()}\n`

/** Six decimals, and no exponent: some readers of OBJ know none. */
function number(value: number): string {
  return String(Number(value.toFixed(6)))
}
