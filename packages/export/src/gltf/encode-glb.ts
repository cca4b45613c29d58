import { writeFileAtomic } from '@facekit/core'
import type { Buffer, Document, Material } from '@gltf-transform/core'
import type { IOR, Specular } from '@gltf-transform/extensions'
import { encodeMap, type PictureArray } from '../encode-png.js'
import { addAnimation, type FaceAnimation } from './face-animation.js'
import { addSkin, checkSkin, type FaceSkin } from './face-skin.js'
import type { FaceCapture } from '../face-capture.js'
import { checkFaceMesh, type FaceMesh } from '../face-mesh.js'
import { bakeCheckedTextures, type FaceTextures } from '../face-textures.js'
import { addMorphTargets, checkTargets, type MorphOptions, type MorphTarget } from './morph-targets.js'
import { mouthColor } from '../mouth-color.js'
import { markNormalized } from './normalized-accessors.js'
import { DIELECTRIC_F0, indexOfRefraction, LARGEST_F0, meanColor } from '../reflectance.js'
import { roughnessFromShininess } from '../roughness.js'
import { unitLength } from '../unit-length.js'

/** Options of `encodeGlb`. */
export interface GlbOptions extends MorphOptions {
  /** Width and height of the maps in texels. Default 512. */
  size?: number
  /** Maps of `bakeFaceTextures` or `encodeFaceTextures`, when they are there already; `size` is ignored then. */
  textures?: FaceTextures
  /** Name of the node, the mesh and the material. Default 'face'. */
  name?: string
  /** Blend shapes ("shape keys"): what moves the mesh, by name; `weights` says how far at first. */
  targets?: readonly MorphTarget[]
  /** Joints that carry the face's vertices, e.g. of `faceJoints` of `@facekit/morphable`: nodes by their names under one named `<name>-rig`. */
  skin?: FaceSkin
  /** How the face moves: its node, or that of its joints, and the weights of `targets`. */
  animation?: FaceAnimation
  /** How the face was photographed: `extras.facekit.capture` of the node, for `<facekit-viewer>`; other programs pass over it. */
  capture?: FaceCapture
  /** Goes into `extras` of the node: anything that JSON can hold. */
  extras?: Record<string, unknown>
}

/** Encodes a face as binary glTF 2.0: metres, UV origin at the upper left, maps inside.
 *
 * The specular albedo becomes the reflectance at normal incidence, through `KHR_materials_specular`:
 * F0 = F * specularColorFactor * specularColorTexture with factors of at most 1. F is 0.04, or, where the face has more, its largest specular albedo,
 * stated by the index of refraction of `KHR_materials_ior`: F = ((n - 1) / (n + 1))^2. The exponent of Blinn-Phong
 * becomes a roughness, see `roughnessFromShininess`. A renderer with microfacets conserves energy where Blinn-Phong does
 * not: highlights have the same place and width, not the same height. A mesh without UV gets its diffuse albedo
 * as COLOR_0 and one mean specular colour. `uncertainty`, where the mesh has it, is the attribute _UNCERTAINTY, in mm.
 *
 * With `targets` it is a face that can be driven: morph targets with their normals, names in `extras.targetNames`, sparse. With `skin` its joints turn
 * what the targets have moved.
 *
 * @returns the bytes of a .glb file
 * @throws {ShapeError} when sizes of the mesh do not fit together
 * @throws {ValueError} when a number of the mesh is not finite, or the size of the maps is absurd
 * @example
 * await writeFile('face.glb', await encodeGlb(mesh, { size: 1024 }))
 */
export async function encodeGlb(mesh: FaceMesh, options: GlbOptions = {}): Promise<Uint8Array> {
  const face = checkFaceMesh('encodeGlb', mesh)
  const { name = 'face', capture, targets = [] } = options
  const extras = capture ? { ...options.extras, facekit: { capture } } : options.extras
  checkTargets('encodeGlb', targets, options.weights, face.count)
  if (options.skin) checkSkin('encodeGlb', options.skin, face.count)
  // Loaded when needed: they take longer to start than the rest of this package.
  const { Document, Logger, WebIO } = await import('./gltf-transform.js')
  const { KHRMaterialsIOR, KHRMaterialsSpecular, KHRMeshQuantization } = await import('./gltf-transform.js')
  const document = new Document()
  document.getRoot().getAsset().generator = 'facekit'
  const specular = document.createExtension(KHRMaterialsSpecular).createSpecular()
  const ior = document.createExtension(KHRMaterialsIOR).createIOR()
  const material = document
    .createMaterial(name)
    .setMetallicFactor(0)
    .setRoughnessFactor(roughnessFromShininess(face.shininess))
    .setExtension('KHR_materials_specular', specular)
  const buffer = document.createBuffer()
  const accessor = (array: Float32Array<ArrayBuffer>, type: 'SCALAR' | 'VEC2' | 'VEC3') =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer)
  const quantized = targets.length > 0 && options.precision !== 'float32'
  const place = (uv: Float32Array) =>
    quantized && uv.every((value) => value >= 0 && value <= 1)
      ? inSteps(
          document,
          buffer,
          Uint16Array.from(uv, (value) => Math.round(65_535 * value)),
          'VEC2',
        )
      : accessor(uv as Float32Array<ArrayBuffer>, 'VEC2')
  const indices = (array: Int32Array) =>
    document
      .createAccessor()
      .setType('SCALAR')
      .setArray(face.count > 0xffff ? new Uint32Array(array) : new Uint16Array(array))
      .setBuffer(buffer)
  const position = accessor(
    face.vertices.map((value) => value / 1000),
    'VEC3',
  )
  const directions = unitLength(face.normals)
  const normal = quantized
    ? inSteps(
        document,
        buffer,
        Int16Array.from(directions, (value) => Math.round(32_767 * value)),
        'VEC3',
      )
    : accessor(directions, 'VEC3')
  const skin = document
    .createPrimitive()
    .setAttribute('POSITION', position)
    .setAttribute('NORMAL', normal)
    .setIndices(indices(face.triangles))
    .setMaterial(material)
  // An attribute of our own: programs that do not know it leave it alone.
  if (face.uncertainty)
    skin.setAttribute('_UNCERTAINTY', accessor(new Float32Array(face.uncertainty), 'SCALAR'))
  if (face.uv) {
    skin.setAttribute('TEXCOORD_0', place(fromTop(face.uv)))
    setMaps(
      document,
      material,
      { specular, ior },
      options.textures ?? bakeCheckedTextures({ ...face, uv: face.uv }, { size: options.size }),
    )
  } else {
    skin.setAttribute(
      'COLOR_0',
      accessor(
        face.diffuse.map((value) => Math.min(Math.max(value, 0), 1)),
        'VEC3',
      ),
    )
    setReflectance(material, { specular, ior }, meanColor(face.specular))
  }
  const gltfMesh = document.createMesh(name).addPrimitive(skin)
  if (face.innerMouthTriangles.length > 0) {
    const map = face.innerMouthUv && options.textures?.mouth
    const inside = document.createMaterial('inner-mouth').setMetallicFactor(0)
    if (map) inside.setBaseColorTexture(pngTexture(document, 'mouth', map)).setRoughnessFactor(0.6)
    else inside.setBaseColorFactor([...mouthColor, 1]).setRoughnessFactor(1)
    const sheet = document
      .createPrimitive()
      .setAttribute('POSITION', position)
      .setAttribute('NORMAL', normal)
      .setIndices(indices(face.innerMouthTriangles))
      .setMaterial(inside)
    if (map) sheet.setAttribute('TEXCOORD_0', place(fromTop(face.innerMouthUv!)))
    gltfMesh.addPrimitive(sheet)
  }
  if (targets.length > 0) {
    if (quantized) document.createExtension(KHRMeshQuantization).setRequired(true)
    addMorphTargets(document, buffer, gltfMesh, face, targets, options)
  }
  const node = document.createNode(name).setMesh(gltfMesh)
  const scene = document.createScene().addChild(node)
  document.getRoot().setDefaultScene(scene)
  // A mesh on joints is where they are: its own node may move as it likes.
  const moved = options.skin ? addSkin(document, buffer, node, options.skin) : node
  if (options.skin) scene.addChild(moved)
  if (options.animation)
    addAnimation(document, buffer, { node: moved, mesh: node, targets: targets.length }, options.animation)
  if (extras) node.setExtras(extras)
  const bytes = await new WebIO()
    // It warns of sparse targets that are more than half full, which are the smaller ones here.
    .setLogger(new Logger(Logger.Verbosity.ERROR))
    .registerExtensions([KHRMaterialsIOR, KHRMaterialsSpecular, KHRMeshQuantization])
    .writeBinary(document)
  return targets.length > 0 ? markNormalized(bytes) : bytes
}

/** Writes a face as .glb file, whole or not at all. Node only.
 *
 * @throws as `encodeGlb`, or the file system's own error
 */
export async function writeGlb(mesh: FaceMesh, path: string, options: GlbOptions = {}): Promise<void> {
  await writeFileAtomic(path, await encodeGlb(mesh, options))
}

interface Gloss {
  specular: Specular
  ior: IOR
}

/** Numbers of 0..1 or -1..1 as integers. */
const inSteps = (
  document: Document,
  buffer: Buffer,
  array: Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer>,
  type: 'VEC2' | 'VEC3',
) => document.createAccessor().setType(type).setArray(array).setNormalized(true).setBuffer(buffer)

/** glTF has the origin of UV at the upper left. */
const fromTop = (uv: Float32Array) =>
  new Float32Array(uv.map((value, i) => (i % 2 === 0 ? value : 1 - value)))

const pngTexture = (document: Document, name: string, picture: PictureArray) =>
  document
    .createTexture(name)
    .setMimeType('image/png')
    .setImage(encodeMap(picture) as Uint8Array<ArrayBuffer>)

function setMaps(document: Document, material: Material, gloss: Gloss, textures: FaceTextures): void {
  const texture = (name: string, picture: PictureArray) => pngTexture(document, name, picture)
  const { specularScale } = textures
  material.setBaseColorTexture(texture('diffuse', textures.diffuse))
  gloss.specular.setSpecularColorTexture(texture('specular', textures.specular))
  setReflectance(material, gloss, [specularScale, specularScale, specularScale])
  if (textures.normal) material.setNormalTexture(texture('normal', textures.normal))
}

/** States F0: by the factors alone up to that of the usual dielectric, beyond by the index of refraction, too, as factors above 1 are clamped in some
 * programs. */
function setReflectance(material: Material, { specular, ior }: Gloss, color: [number, number, number]): void {
  const reflectance = Math.min(Math.max(...color, DIELECTRIC_F0), LARGEST_F0)
  specular.setSpecularColorFactor(
    color.map((value) => Math.min(value / reflectance, 1)) as [number, number, number],
  )
  if (reflectance === DIELECTRIC_F0) return
  material.setExtension('KHR_materials_ior', ior.setIOR(indexOfRefraction(reflectance)))
}
