import { FacekitError, ModelFormatError, ValueError, writeFileAtomic } from '@facekit/core'
import type { FaceMesh, MorphTarget } from '@facekit/export'
import {
  detectModelFormat,
  encodeMorphableModel,
  type ModelFormat,
  type MorphableModel,
  type ReadModelOptions,
} from '@facekit/morphable'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileSystemReason } from '../error-line.js'
import { checkOutputFile } from '../output-file.js'
import { checkThere, loadModel } from '../load-model.js'
import type { Progress } from '../progress.js'

/** What became of an import or a conversion. */
export interface StoredModel {
  file: string
  bytes: number
  name: string
  license: string
  vertexCount: number
  layout: MorphableModel['layout']
  seconds: number
}

export interface ImportOptions {
  out: string
  albedo?: string
  landmarks?: string
  expressions?: string
  crop?: 'face' | 'none'
  splitAt?: number
  identityModes?: number
  expressionModes?: number
  albedoModes?: number
  precision: 'float32' | 'float16'
  force: boolean
}

/** Reads a model of any format and stores it as .safetensors. */
export async function importModel(
  source: string,
  options: ImportOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<StoredModel> {
  const started = performance.now()
  const { out, albedo, landmarks, expressions, crop, precision, force, ...counts } = options
  if (!/\.safetensors$/i.test(out)) {
    throw new ValueError(
      `--out: "${out}" is no .safetensors file; facekit model convert writes other formats`,
    )
  }
  await checkOutputFile(out, force)
  await checkThere(source)
  const format = await detectModelFormat(source)
  checkFlags(format, options)
  const read: ReadModelOptions = {
    ...counts,
    ...(format === 'facekit' ? crop && { crop } : { crop: crop ?? 'face' }),
    ...(expressions && { expressions: await expressionFiles(expressions) }),
    ...(albedo && { albedo }),
    ...(landmarks && { landmarks: await readLandmarks(landmarks) }),
    signal,
    onProgress: (done, total) => progress.update(done, total),
  }
  progress.start(`${source}: reading`)
  const model = await loadModel(source, read)
  signal.throwIfAborted()
  return store(model, out, encodeMorphableModel(model, { precision }), started)
}

/** Flags that only some formats have a use for, and what to say of the others. */
const FLAGS: readonly [keyof ImportOptions, string, readonly ModelFormat[], string][] = [
  ['albedo', '--albedo', ['basel'], 'only a Basel file (.h5) can be combined with an albedo model'],
  ['expressions', '--expressions', ['basel-2009'], 'only a Basel file of 2009 (.mat) has none of its own'],
  [
    'splitAt',
    '--split-at',
    ['arrays'],
    'only arrays (.npz, .pkl, .safetensors, .json) have identity and expression in one',
  ],
  [
    'landmarks',
    '--landmarks',
    ['basel', 'basel-2009', 'lsfm', 'meshes', 'arrays'],
    'files of facekit and ICT-FaceKit bring their own landmarks',
  ],
]

/** @throws {ValueError} for a flag that the format would leave unused */
function checkFlags(format: ModelFormat, options: ImportOptions): void {
  for (const [key, flag, formats, why] of FLAGS) {
    if (options[key] !== undefined && !formats.includes(format)) throw new ValueError(`${flag}: ${why}`)
  }
}

/** `Exp_Pca.bin` and the files that come with it. */
async function expressionFiles(modes: string): Promise<NonNullable<ReadModelOptions['expressions']>> {
  const beside = (name: string) => join(dirname(modes), name)
  const vertices = beside('BFM_exp_idx.mat')
  const isThere = await stat(vertices).catch(() => undefined)
  return { modes, deviations: beside('std_exp.txt'), ...(isThere && { vertices }) }
}

/** Stores a model in the format that the file's ending names. */
export async function convertModel(
  source: string,
  options: { out: string; identityModes: number; precision?: 'float32' | 'float16'; force: boolean },
  progress: Progress,
  signal: AbortSignal,
): Promise<StoredModel> {
  const started = performance.now()
  const { out, identityModes, precision = 'float32', force } = options
  const ending = /\.(safetensors|glb|obj)$/i.exec(out)?.[1].toLowerCase()
  if (!ending) throw new ValueError(`--out: "${out}" ends in none of .safetensors, .glb, .obj`)
  await checkOutputFile(out, force)
  progress.start(`${source}: reading`)
  const model = await loadModel(source, { signal, onProgress: (done, total) => progress.update(done, total) })
  signal.throwIfAborted()
  progress.start(`${out}: writing`)
  if (ending === 'safetensors') return store(model, out, encodeMorphableModel(model, { precision }), started)
  if (ending === 'obj') return store(model, out, encodeQuads(model), started)
  const { encodeGlb } = await import('@facekit/export')
  const { name, license, origin } = model
  // Colours of vertices, not maps: nothing here is finer than the mesh.
  const { uv: _, ...mesh } = meanMesh(model)
  const bytes = await encodeGlb(mesh, {
    targets: morphTargets(model, identityModes),
    name,
    extras: { license, origin },
  })
  return store(model, out, bytes, started)
}

async function store(
  model: MorphableModel,
  file: string,
  content: Uint8Array | string,
  started: number,
): Promise<StoredModel> {
  await writeFileAtomic(file, content).catch((error: unknown) => {
    throw new FacekitError(`${file} cannot be written: ${fileSystemReason(error)}`, { cause: error })
  })
  const { name, license, vertexCount, layout } = model
  const bytes = (await stat(file)).size
  return { file, bytes, name, license, vertexCount, layout, seconds: (performance.now() - started) / 1000 }
}

/** A `StoredModel` for people. */
export function storedLines({
  file,
  bytes,
  name,
  license,
  vertexCount,
  layout,
  seconds,
}: StoredModel): string[] {
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
  return [
    `${file}: "${name}", ${vertexCount} vertices, ${layout.identity} + ${layout.expression} + ${layout.albedo} modes, ${size}, ${seconds.toFixed(1)} s`,
    `licence: ${license}`,
  ]
}

/** 68 vertices: a JSON list, or the last number of each line. */
async function readLandmarks(file: string): Promise<number[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ValueError(`--landmarks: ${file} cannot be read: ${fileSystemReason(error)}`)
  })
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    list = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) =>
        Number(
          line
            .trim()
            .split(/[\s,;]+/)
            .at(-1),
        ),
      )
  }
  if (!Array.isArray(list) || list.length !== 68 || !list.every((value) => Number.isInteger(value))) {
    throw new ModelFormatError(
      `--landmarks: ${file} holds ${Array.isArray(list) ? `${list.length} entries` : typeof list}, expected 68 vertices, as a JSON list or a number a line`,
    )
  }
  return list as number[]
}

/** The mean face as a mesh to write. */
function meanMesh(model: MorphableModel): FaceMesh {
  const { triangles, innerMouthTriangles, shape, albedo, uv } = model
  return {
    vertices: shape.mean,
    triangles,
    innerMouthTriangles,
    diffuse: albedo.diffuseMean,
    specular: albedo.specularMean,
    ...(uv && { uv }),
  }
}

/** Expressions by name at full activation (or two deviations), and identity modes at two. */
function morphTargets(model: MorphableModel, identityModes: number): MorphTarget[] {
  const size = model.vertexCount * 3
  const { identity, expression, expressionNames, expressionRange } = model.shape
  const row = (data: Float32Array, k: number, factor: number) =>
    data.subarray(k * size, (k + 1) * size).map((value) => value * factor)
  return [
    ...Array.from({ length: model.layout.expression }, (_, k) => ({
      name: expressionNames?.[k] ?? `expression${String(k).padStart(3, '0')}`,
      offsets: row(expression.data, k, expressionRange?.[1] ?? 2),
    })),
    ...Array.from({ length: Math.min(identityModes, model.layout.identity) }, (_, k) => ({
      name: `identity${String(k).padStart(3, '0')}`,
      offsets: row(identity.data, k, 2),
    })),
  ]
}

/** The mean as OBJ with the polygons that it was made of, which modelling programs want, and texture coordinates. */
function encodeQuads(model: MorphableModel): string {
  const { shape, uv, triangles, polygons, name, license } = model
  const lines = [`# ${name}, millimetres`, `# licence: ${license.replace(/\s+/g, ' ')}`]
  const mean = shape.mean.data
  for (let i = 0; i < mean.length; i += 3) {
    lines.push(`v ${mean[i].toFixed(4)} ${mean[i + 1].toFixed(4)} ${mean[i + 2].toFixed(4)}`)
  }
  const coordinates = uv?.data ?? []
  for (let i = 0; i < coordinates.length; i += 2) {
    lines.push(`vt ${coordinates[i].toFixed(6)} ${coordinates[i + 1].toFixed(6)}`)
  }
  const [list, width] = polygons ? [polygons, 4] : [triangles, 3]
  for (let p = 0; p < list.length; p += width) {
    const corners = [...list.subarray(p, p + width)].filter((vertex) => vertex >= 0)
    lines.push(`f ${corners.map((v) => (uv ? `${v + 1}/${v + 1}` : `${v + 1}`)).join(' ')}`)
  }
  return `${lines.join('\n')}\n`
}
