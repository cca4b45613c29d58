import { ModelFormatError, ValueError } from '@facekit/core'
import { parseObj, type ObjMesh } from '@facekit/mesh'
import { createMorphableModel } from './create-morphable-model.js'
import { ictPolygons, ictRegions, ictVertexCount } from './ict-regions.js'
import { checkFileSize } from './model-source.js'
import type { MorphableModel } from '../model/morphable-model.js'

/** Options of `readIctFaceKit`. */
export interface IctOptions {
  /** `'narrow'` (default): the front of the face, without ears, cropped at the jaw; `'full'`: with both. */
  face?: 'narrow' | 'full'
  /** Whether sclera and iris are read, too. Default true. */
  eyes?: boolean
  /** Gives its albedo, which ICT-FaceKit has none of, e.g. that of `loadBaseModel()`. Default: grey. */
  template?: MorphableModel
  /** Most identity modes that are kept. Default 100. */
  identityModes?: number
  /** Says how many files are read. */
  onProgress?: (done: number, total: number) => void
  /** Is looked at between files. */
  signal?: AbortSignal
}

/** Gets a file of the folder `FaceXModel` by its name; undefined where there is none. */
export type IctFiles = (name: string) => Promise<string | undefined>

const IDENTITIES = 100

/** Reads ICT-FaceKit's light face model from its original folder: OBJ files and `vertex_indices.json`.
 *
 * The face is cut out of the head (with eyeballs; without teeth, tongue, sockets, and the thin shells for transparent shaders);
 * regions keep their names, `polygons` the quads. Identity modes are the differences of `identity000` to `identity099` from
 * `generic_neutral_mesh`, which hold their standard deviation; expressions are the named ones of `vertex_indices.json`, from 0 to
 * 1. Centimetres become millimetres. Modes whose file is missing are left out, and `origin` says how many there are.
 *
 * @param source - path of the distribution or of its folder `FaceXModel` (Node), or a function that gets files by name
 * @throws {ModelFormatError} when a file is missing that must be there, damaged, or of another mesh
 */
export async function readIctFaceKit(
  source: string | IctFiles,
  options: IctOptions = {},
): Promise<MorphableModel> {
  const { face = 'narrow', eyes = true, template, identityModes = IDENTITIES, onProgress, signal } = options
  if (face !== 'narrow' && face !== 'full') {
    throw new ValueError(`readIctFaceKit: face is ${String(face)}, expected 'narrow' or 'full'`)
  }
  const who = typeof source === 'string' ? `readIctFaceKit: ${source}` : 'readIctFaceKit'
  const files = typeof source === 'string' ? await openFolder(source, who) : source
  const need = async (name: string) => {
    const text = await files(name)
    if (text === undefined) {
      throw new ModelFormatError(`${who}: ${name} is missing, expected the folder FaceXModel of ICT-FaceKit`)
    }
    return text
  }
  const { expressions, landmarks } = parseIndices(await need('vertex_indices.json'), who)
  const neutral = parseObj(await need('generic_neutral_mesh.obj'), `${who}: generic_neutral_mesh.obj`)
  if (neutral.positions.length !== ictVertexCount * 3 || neutral.polygons.length < ictPolygons.irisRight[1]) {
    throw new ModelFormatError(
      `${who}: generic_neutral_mesh.obj has ${neutral.positions.length / 3} vertices and ${neutral.polygons.length} polygons, expected ${ictVertexCount} and 26384 of the light model`,
    )
  }
  const parts = [
    face,
    ...(eyes ? (['scleraLeft', 'irisLeft', 'scleraRight', 'irisRight'] as const) : []),
  ] as const
  const kept = keptVertices(parts)
  const identityNames = Array.from(
    { length: Math.min(identityModes, IDENTITIES) },
    (_, i) => `identity${String(i).padStart(3, '0')}`,
  )
  const total = identityNames.length + expressions.length
  let done = 0
  const readModes = async (names: readonly string[]) => {
    const modes: Float32Array[] = []
    const found: string[] = []
    for (const name of names) {
      signal?.throwIfAborted()
      const text = await files(`${name}.obj`)
      onProgress?.(++done, total)
      if (text === undefined) continue
      const { positions } = parseObj(text, `${who}: ${name}.obj`, true)
      if (positions.length !== neutral.positions.length) {
        throw new ModelFormatError(
          `${who}: ${name}.obj has ${positions.length / 3} vertices, expected ${ictVertexCount} as generic_neutral_mesh.obj`,
        )
      }
      modes.push(pickRows(positions, kept).map((value, i) => value - mean[i]))
      found.push(name)
    }
    return { found, shape: [modes.length, kept.length, 3], data: concatenate(modes) }
  }
  const mean = pickRows(neutral.positions, kept)
  const identity = await readModes(identityNames)
  const expression = await readModes(expressions)
  return createMorphableModel(
    {
      name: 'ict-facekit',
      license: 'MIT',
      origin: `ICT-FaceKit, light model (Copyright (c) 2020 USC Institute for Creative Technologies): ${face} face${eyes ? ' and eyeballs' : ''}, ${identity.found.length} of ${IDENTITIES} identities, ${expression.found.length} of ${expressions.length} expressions.`,
      mean: { shape: [kept.length, 3], data: mean },
      identity,
      expression,
      expressionNames: expression.found,
      expressionRange: [0, 1],
      ...meshOf(neutral, parts, kept),
      landmarks: landmarks.map((vertex) => kept.indexOf(vertex)),
      millimetres: 10,
    },
    { who, crop: face === 'narrow' ? 'face' : 'none', ...(template && { template }) },
  )
}

type Part = keyof typeof ictPolygons

/** Vertices of the parts in the order of the file. */
function keptVertices(parts: readonly Part[]): Int32Array {
  const list: number[] = []
  for (const part of parts) {
    const [first, last] = ictRegions[part]
    for (let v = first; v <= last; v++) list.push(v)
  }
  return Int32Array.from(list)
}

/** Polygons, triangles, texture coordinates and regions of the parts. */
function meshOf(mesh: ObjMesh, parts: readonly Part[], kept: Int32Array) {
  const renumbered = new Map(Array.from(kept, (vertex, i) => [vertex, i]))
  const polygons: number[] = []
  const triangles: number[] = []
  const uv = new Float32Array(kept.length * 2)
  for (const [index, part] of parts.entries()) {
    const [first, last] = ictPolygons[part]
    for (let p = first; p <= last; p++) {
      const corners = mesh.polygons[p].map((vertex) => renumbered.get(vertex) ?? -1)
      // Polygons at the border of a part can use vertices of the next.
      if (corners.includes(-1) || corners.length > 4) continue
      polygons.push(...corners, ...(corners.length === 3 ? [-1] : []))
      for (let k = 2; k < corners.length; k++) triangles.push(corners[0], corners[k - 1], corners[k])
      for (const [k, texture] of mesh.uvPolygons[p].entries()) {
        if (texture < 0) continue
        const [u, v] = placeUv(index, mesh.uv[texture * 2], mesh.uv[texture * 2 + 1])
        uv.set([u, v], corners[k] * 2)
      }
    }
  }
  const inside = ([first, last]: readonly [number, number]) =>
    Array.from({ length: last - first + 1 }, (_, i) => renumbered.get(first + i) ?? -1).filter((v) => v >= 0)
  const regions = Object.fromEntries(
    Object.entries(ictRegions)
      .map(([name, range]) => [name, inside(range)] as const)
      .filter(([, vertices]) => vertices.length > 0),
  )
  return {
    triangles: Int32Array.from(triangles),
    polygons: Int32Array.from(polygons),
    uv: { shape: [kept.length, 2], data: uv },
    regions,
  }
}

/** The face and the eyes each fill the same square of texture: the face moves up, the parts of the eyes into a row below. */
function placeUv(part: number, u: number, v: number): [number, number] {
  const clamp = (value: number) => Math.min(1, Math.max(0, value))
  if (part === 0) return [clamp(u), 0.13 + 0.87 * clamp(v)]
  return [0.02 + (part - 1) * 0.14 + 0.11 * clamp(u), 0.01 + 0.11 * clamp(v)]
}

function pickRows(positions: Float64Array, rows: Int32Array): Float32Array {
  const result = new Float32Array(rows.length * 3)
  for (let i = 0; i < rows.length; i++) {
    for (let c = 0; c < 3; c++) result[i * 3 + c] = positions[rows[i] * 3 + c]
  }
  return result
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

function parseIndices(json: string, who: string): { expressions: string[]; landmarks: number[] } {
  let value: { expressions?: unknown; idx_to_landmark_verts?: unknown } | null
  try {
    value = JSON.parse(json) as typeof value
  } catch {
    throw new ModelFormatError(`${who}: vertex_indices.json is no JSON; is it complete?`)
  }
  const expressions = value?.expressions
  const landmarks = value?.idx_to_landmark_verts
  if (!Array.isArray(expressions) || !expressions.every((name) => /^[\w-]{1,60}$/.test(String(name)))) {
    throw new ModelFormatError(`${who}: vertex_indices.json has no list "expressions" of names`)
  }
  if (
    !Array.isArray(landmarks) ||
    landmarks.length !== 68 ||
    !landmarks.every((vertex) => Number.isSafeInteger(vertex))
  ) {
    throw new ModelFormatError(
      `${who}: vertex_indices.json has no list "idx_to_landmark_verts" of 68 vertices`,
    )
  }
  return { expressions: expressions.map(String), landmarks: landmarks as number[] }
}

/** Files of the distribution's folder, or of `FaceXModel` in it. */
async function openFolder(folder: string, who: string): Promise<IctFiles> {
  const { readFile, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const there = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    )
  const inner = `${folder}/FaceXModel`
  const root = (await there(inner)) ? inner : folder
  if (!(await there(`${root}/vertex_indices.json`))) {
    throw new ModelFormatError(
      `${who}: no vertex_indices.json found, expected the folder of ICT-FaceKit or its FaceXModel`,
    )
  }
  return async (name) => {
    const path = `${root}/${name}`
    if (!(await there(path))) return undefined
    await checkFileSize(path, `${who}: ${name}`)
    return readFile(path, 'utf8')
  }
}
