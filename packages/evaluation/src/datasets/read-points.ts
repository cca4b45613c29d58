import { ModelFormatError } from '@facekit/core'
import type { SpaceLandmarks } from './evaluation-dataset.js'
import { readDataFile } from './read-data-file.js'
import { nowLandmarks } from '../protocols/now-protocol.js'

/** Points of a file. */
export interface PointRows {
  /** Numbers of a point: 2 or 3. */
  width: 2 | 3
  /** `[L * width]` */
  values: Float64Array
}

/** Reads points from a file by its ending: `.pp` (MeshLab's picked points), `.npy` (NumPy), `.pts` (300-W; counted from 1, given with pixel centres at
 * +0.5), `.json` (`[[x, y, z], ...]`), or lines of numbers.
 *
 * @throws {ModelFormatError} when the file is missing, damaged, or its rows are not of two or three numbers
 */
export async function readPoints(path: string): Promise<PointRows> {
  const bytes = await readDataFile(path)
  if (/\.npy$/i.test(path)) return checked(parseNumpy(bytes, path), path)
  const text = new TextDecoder().decode(bytes)
  if (/\.pp$/i.test(path)) return checked(pickedPoints(text), path)
  if (/\.json$/i.test(path)) return checked(jsonRows(text, path), path)
  if (/\.pts$/i.test(path)) {
    const rows = numberLines(/\{([^{}]*)\}/.exec(text)?.[1] ?? '')
    return checked(
      rows.map((row) => row.map((value) => value - 0.5)),
      path,
    )
  }
  return checked(numberLines(text), path)
}

/** Landmarks in space: seven are NoW's, 51 those without the jaw, 68 all, 85 REALY's keypoints, which begin with the 68.
 *
 * @throws {ModelFormatError} when there are others
 */
export async function readSpaceLandmarks(path: string, millimetres = 1): Promise<SpaceLandmarks> {
  return spaceLandmarks(await readPoints(path), path, millimetres)
}

/** As `readSpaceLandmarks`, of points that are read. */
export function spaceLandmarks({ width, values }: PointRows, who: string, millimetres = 1): SpaceLandmarks {
  const count = values.length / width
  const which = { 7: nowLandmarks, 51: range(17, 68), 68: range(0, 68), 85: range(0, 85) }[count]
  if (width !== 3 || !which)
    throw new ModelFormatError(
      `${who}: ${count} points of ${width} numbers, expected 7 (NoW's), 51, 68 or 85 (REALY's) landmarks in space`,
    )
  return { which, positions: values.map((value) => value * millimetres) }
}

/** `[68 * 2]` landmarks in a picture.
 *
 * @throws {ModelFormatError} when there are others
 */
export async function readPictureLandmarks(path: string): Promise<Float64Array> {
  const { width, values } = await readPoints(path)
  if (width !== 2 || values.length !== 136)
    throw new ModelFormatError(
      `${path}: ${values.length / width} points of ${width} numbers, expected 68 landmarks in the picture`,
    )
  return values
}

const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)

function checked(rows: readonly number[][], who: string): PointRows {
  const width = rows[0]?.length
  const wrong = rows.findIndex((row) => row.length !== width || !row.every(Number.isFinite))
  if ((width !== 2 && width !== 3) || wrong >= 0)
    throw new ModelFormatError(
      `${who}: ${rows.length === 0 ? 'no points' : `point ${wrong < 0 ? 1 : wrong + 1} is not of two or three finite numbers`}, expected landmarks`,
    )
  return { width, values: Float64Array.from(rows.flat()) }
}

function numberLines(text: string): number[][] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/[\s,;]+/).map(Number))
}

/** `<point x="1" y="2" z="3" ... />` in any order of the attributes. */
function pickedPoints(text: string): number[][] {
  return [...text.matchAll(/<point\b[^>]*>/g)].map(([tag]) =>
    ['x', 'y', 'z'].map((axis) => Number(new RegExp(`\\b${axis}="([^"]*)"`).exec(tag)?.[1] ?? Number.NaN)),
  )
}

function jsonRows(text: string, who: string): number[][] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ModelFormatError(`${who}: no JSON, expected [[x, y, z], ...]`, { cause })
  }
  const rows: unknown = (value as { landmarks?: unknown })?.landmarks ?? value
  if (!Array.isArray(rows)) throw new ModelFormatError(`${who}: expected [[x, y, z], ...]`)
  return rows.map((row: unknown) => (Array.isArray(row) ? row.map(Number) : []))
}

/** A two-dimensional array of floats of NumPy, row by row. */
function parseNumpy(bytes: Uint8Array, who: string): number[][] {
  const fail = (what: string) =>
    new ModelFormatError(`${who}: ${what}, expected an array [L, 3] of floats of NumPy`)
  if (String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY' || bytes.length < 12)
    throw fail('its header is missing')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const long = bytes[6] >= 2
  const start = long ? 12 : 10
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true)
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length))
  const size = Number(/'descr':\s*'<f([48])'/.exec(header)?.[1])
  const shape = /'shape':\s*\((\d+),\s*(\d+),?\s*\)/.exec(header)?.slice(1).map(Number)
  if (!size || !shape || /'fortran_order':\s*True/.test(header)) throw fail(`its header is ${header.trim()}`)
  const [rows, columns] = shape
  const at = start + length
  if (bytes.length < at + rows * columns * size) throw fail('it is cut short')
  const read = (i: number) =>
    size === 4 ? view.getFloat32(at + 4 * i, true) : view.getFloat64(at + 8 * i, true)
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (__, c) => read(r * columns + c)),
  )
}
