import { drawFront } from '@facekit/evaluation'
import { composePanels, ownPictureText, type PictureArray, writePng } from '@facekit/export'
import type { Surface } from '@facekit/mesh'
import { dirname } from 'node:path'
import { makeInside } from './evaluation-folder.js'
import ndarray, { type NdArray } from 'ndarray'

/** One method on a sheet. */
export interface FigureRow {
  method: string
  /** Input, diffuse, specular and lit; none for a folder of meshes, and for the truth. */
  panels: readonly PictureArray[]
  surface: Surface | undefined
}

const LABELS = ['input', 'diffuse', 'specular', 'lit']
const SIZE = 224
/** Turn of the second view of a shape, radians. */
const YAW = 0.6

/** Writes a sheet as the paper's figures 3 to 9: a row for each method with input, diffuse light, specular light, both, and the shape from two sides. */
export async function writeFigure(path: string, rows: readonly FigureRow[]): Promise<void> {
  const strips: NdArray<Uint8Array>[] = []
  for (const { method, panels, surface } of rows) {
    const shapes = surface
      ? [await drawFront(surface, undefined, SIZE), await drawFront(surface, undefined, SIZE, YAW)]
      : []
    const blank = ndarray(new Uint8Array(SIZE * SIZE * 3).fill(24), [SIZE, SIZE, 3])
    const before = panels.length > 0 ? panels : LABELS.map(() => blank)
    const pictures = [...before, ...shapes]
    if (shapes.length + panels.length === 0) continue
    const labels = pictures.map((_, i) =>
      i < before.length ? (panels.length > 0 ? LABELS[i] : '') : i === before.length ? method : '',
    )
    strips.push(composePanels(pictures, labels))
  }
  if (strips.length === 0) return
  await makeInside(dirname(path))
  await writePng(stack(strips), path, { text: ownPictureText })
}

/** Pictures one below the other. */
function stack(strips: readonly NdArray<Uint8Array>[]): NdArray<Uint8Array> {
  const width = Math.max(...strips.map(({ shape }) => shape[1]))
  const height = strips.reduce((sum, { shape }) => sum + shape[0], 0)
  const data = new Uint8Array(width * height * 3).fill(24)
  let top = 0
  for (const { shape, data: pixels } of strips) {
    for (let y = 0; y < shape[0]; y++)
      data.set(pixels.subarray(y * shape[1] * 3, (y + 1) * shape[1] * 3), (top + y) * width * 3)
    top += shape[0]
  }
  return ndarray(data, [height, width, 3])
}
