import { basename, dirname, join, resolve } from 'node:path'
import { writeFileAtomic } from '@facekit/core'
import { composePanels, ownPictureText, writePng, type PictureArray } from '@facekit/export'
import { disposeModel, evaluateShape, sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import { OutputFolders } from '../reconstruct/output-folders.js'
import { PhaseTimer } from '../phase-timer.js'
import type { Progress } from '../progress.js'
import { startSession } from '../session.js'
import { renderSheetFace, faceGlb, type SheetFace } from './sheet-face.js'
import { sheetFrame } from './sheet-frame.js'

/** What came of contact sheets. */
export interface SheetReport {
  model: string
  folder: string
  files: string[]
  seconds: Record<string, number>
}

/** Views of samples, radians: from the front and from the side, in turn. */
const YAWS = [0, 0.6]
/** Modes of identity and albedo that are rendered by default; expressions, which have names, all. */
const MODES = 10

interface SheetOptions {
  out: string
  size: number
  backend: string
  force: boolean
}

/** Expressions at full strength all at once are grimaces. */
const STRENGTH = 0.5

/** Files that these commands write, and so may replace. */
const OWN_FILES = /^(sheet|identity|expression|albedo)\.png$|^face-\d+\.glb$/

/** A `SheetReport` for people. */
export const sheetLines = ({ folder, files }: SheetReport): string[] => [
  `${folder}: ${files.length > 6 ? `${files.slice(0, 3).join(', ')}, ... (${files.length} files)` : files.join(', ')}`,
]

/** Renders random faces: a contact sheet, and each as GLB. */
export function sampleModel(
  source: string,
  options: SheetOptions & { count: number; seed: number; glb: boolean },
  progress: Progress,
  signal: AbortSignal,
): Promise<SheetReport> {
  return withFolder(source, options, progress, signal, async (model, folder) => {
    const { count, seed, size, glb } = options
    const { expressionRange } = model.shape
    const coefficients = sampleCoefficients(model.layout, {
      batch: count,
      seed,
      ...(expressionRange && { expressionRange }),
    })
    const files: string[] = []
    const pictures: PictureArray[] = []
    progress.start(`${count} faces`)
    try {
      const frame = sheetFrame(await sampleShapes(model, coefficients), YAWS)
      for (let i = 0; i < count; i++) {
        signal.throwIfAborted()
        const face = tf.tidy(() => ({
          identity: tf.slice(coefficients.identity, [i, 0], [1, -1]),
          expression: tf.mul<tf.Tensor2D>(tf.slice(coefficients.expression, [i, 0], [1, -1]), STRENGTH),
          albedo: tf.slice(coefficients.albedo, [i, 0], [1, -1]),
        }))
        pictures.push(await renderSheetFace(model, face, { size, yaw: YAWS[i % 2], frame }))
        if (glb) {
          const file = `face-${String(i + 1).padStart(3, '0')}.glb`
          await writeFileAtomic(join(folder, file), await faceGlb(model, face))
          files.push(file)
        }
        tf.dispose(face)
        progress.update(i + 1, count)
      }
    } finally {
      tf.dispose(coefficients)
    }
    const columns = Math.ceil(Math.sqrt(count * 1.5))
    await writePng(stackRows(rowsOf(pictures, columns)), join(folder, 'sheet.png'), { text: ownPictureText })
    return ['sheet.png', ...files]
  })
}

/** Vertices of sampled faces, `[N * 3]` each. */
async function sampleShapes(
  model: MorphableModel,
  { identity, expression }: Pick<SheetFace, 'identity' | 'expression'>,
): Promise<Float32Array[]> {
  const shapes = tf.tidy(() =>
    evaluateShape(model, { identity, expression: tf.mul<tf.Tensor2D>(expression, STRENGTH) }),
  )
  const data = await shapes.data<'float32'>()
  shapes.dispose()
  const size = model.vertexCount * 3
  return Array.from({ length: data.length / size }, (_, i) => data.subarray(i * size, (i + 1) * size))
}

/** The mean, and each mode at both ends. */
function modeShapes({ shape, layout, vertexCount }: MorphableModel, counts: Counts): Float32Array[] {
  const size = vertexCount * 3
  const mean = Float32Array.from(shape.mean.data)
  return [
    mean,
    ...(['identity', 'expression'] as const).flatMap((part) =>
      Array.from({ length: Math.min(counts[part], layout[part]) }, (_, k) => k).flatMap((k) =>
        endsOf(part, shape).map((value) =>
          mean.map((rest, i) => rest + value * shape[part].data[k * size + i]),
        ),
      ),
    ),
  ]
}

type Counts = Record<keyof SheetFace, number>

/** Coefficients at which a mode is rendered. */
const endsOf = (part: keyof SheetFace, { expressionRange }: MorphableModel['shape']): number[] =>
  part === 'expression' && expressionRange ? [expressionRange[1]] : [-2, 2]

/** Renders each mode at both ends: one contact sheet for identity, expression and albedo each. */
export function renderModes(
  source: string,
  options: SheetOptions & { count?: number },
  progress: Progress,
  signal: AbortSignal,
): Promise<SheetReport> {
  return withFolder(source, options, progress, signal, async (model, folder) => {
    const files: string[] = []
    const { count: most = MODES, size } = options
    const counts = { identity: most, albedo: most, expression: options.count ?? model.layout.expression }
    const frame = sheetFrame(modeShapes(model, counts), [0])
    for (const part of ['identity', 'expression', 'albedo'] as const) {
      const count = Math.min(counts[part], model.layout[part])
      if (count === 0) continue
      progress.start(`modes of ${part}`)
      const ends = endsOf(part, model.shape)
      const cells: { picture: PictureArray; label: string }[] = []
      for (let k = 0; k < count; k++) {
        for (const value of ends) {
          signal.throwIfAborted()
          const face = coefficientsOf(model, part, k, value)
          cells.push({
            picture: await renderSheetFace(model, face, { size, yaw: 0, frame }),
            label: `${(part === 'expression' && model.shape.expressionNames?.[k]) || k + 1} ${value > 0 ? '+' : ''}${value}`,
          })
          tf.dispose(face)
        }
        progress.update(k + 1, count)
      }
      const columns = ends.length === 1 ? 6 : 8
      const pictures = rowsOf(
        cells.map(({ picture }) => picture),
        columns,
        cells.map(({ label }) => label),
      )
      await writePng(stackRows(pictures), join(folder, `${part}.png`), { text: ownPictureText })
      files.push(`${part}.png`)
    }
    return files
  })
}

function coefficientsOf(
  model: MorphableModel,
  part: keyof SheetFace,
  mode: number,
  value: number,
): SheetFace {
  const of = (name: keyof SheetFace) => {
    const values = new Float32Array(model.layout[name])
    if (name === part) values[mode] = value
    return tf.tensor2d(values, [1, values.length])
  }
  return { identity: of('identity'), expression: of('expression'), albedo: of('albedo') }
}

/** Loads the model, starts a backend, and lets `work` fill a folder, which appears whole or not at all. */
async function withFolder(
  source: string,
  options: SheetOptions,
  progress: Progress,
  signal: AbortSignal,
  work: (model: MorphableModel, folder: string) => Promise<string[]>,
): Promise<SheetReport> {
  const timer = new PhaseTimer()
  const path = resolve(options.out)
  const name = basename(path)
  const folders = await OutputFolders.open(dirname(path), [name], options.force, OWN_FILES)
  try {
    progress.start(`${source}: reading`)
    const { model } = await startSession({ model: source, backend: options.backend }, timer, signal)
    const folder = await folders.start(name)
    const files = await timer.measure('render', () => work(model, folder))
    disposeModel(model)
    await folders.finish(name)
    return { model: model.name, folder: options.out, files, seconds: timer.seconds }
  } finally {
    await folders.close()
  }
}

/** Pictures in rows of so many, the last filled up with grey. */
function rowsOf(
  pictures: readonly PictureArray[],
  columns: number,
  labels?: readonly string[],
): NdArray<Uint8Array>[] {
  const width = Math.min(columns, pictures.length)
  const empty = () => {
    const { shape } = pictures[0]
    return ndarray(new Float32Array(shape[0] * shape[1] * 3).fill(0.1), [...shape]) as PictureArray
  }
  return Array.from({ length: Math.ceil(pictures.length / width) }, (_, row) => {
    const of = <T>(list: readonly T[], filler: () => T) =>
      Array.from({ length: width }, (__, i) => list[row * width + i] ?? filler())
    return composePanels(of(pictures, empty), labels && of(labels, () => ''))
  })
}

/** Rows of one width, one below the other. */
function stackRows(rows: readonly NdArray<Uint8Array>[]): NdArray<Uint8Array> {
  const width = rows[0].shape[1]
  const height = rows.reduce((sum, row) => sum + row.shape[0], 0)
  const data = new Uint8Array(height * width * 3)
  let at = 0
  for (const row of rows) {
    data.set(row.data, at)
    at += row.data.length
  }
  return ndarray(data, [height, width, 3])
}
