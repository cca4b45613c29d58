import { ShapeError, ValueError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { pictureBytes, type PictureArray } from './encode-png.js'
import { drawText, GLYPH_ADVANCE, GLYPH_HEIGHT } from './panel-font.js'

const GAP = 4
const BACKGROUND = 24
const INK = 235
/** Height of the line of labels. */
const LABEL_HEIGHT = 2 * GLYPH_HEIGHT + 8

/** Puts pictures side by side, with a line of labels above.
 *
 * Nothing is scaled; smaller pictures are centred in the height of the tallest. Grey pictures become RGB, and transparent ones lie on
 * the dark background.
 *
 * @param labels - one for each picture, in the letters of ASCII; absent: no line of labels
 * @returns `[H, W, 3]` bytes, for `encodePng`
 * @throws {ShapeError} when there is no picture, or one is not a picture
 * @throws {ValueError} when there are not as many labels as pictures
 */
export function composePanels(
  pictures: readonly PictureArray[],
  labels?: readonly string[],
): NdArray<Uint8Array> {
  if (pictures.length === 0)
    throw new ShapeError('composePanels: pictures is [0], expected at least one picture')
  if (labels && labels.length !== pictures.length) {
    throw new ValueError(
      `composePanels: ${labels.length} labels for ${pictures.length} pictures, expected one for each`,
    )
  }
  const panels = pictures.map((picture, i) => pictureBytes(`composePanels: pictures[${i}]`, picture))
  const above = labels ? LABEL_HEIGHT : 0
  const tallest = Math.max(...panels.map((panel) => panel.height))
  const height = tallest + above + 2 * GAP
  const width = panels.reduce((sum, panel) => sum + panel.width + GAP, GAP)
  const data = new Uint8Array(height * width * 3).fill(BACKGROUND)
  let left = GAP
  for (const [index, panel] of panels.entries()) {
    const top = GAP + above + Math.floor((tallest - panel.height) / 2)
    for (let y = 0; y < panel.height; y++) {
      for (let x = 0; x < panel.width; x++) {
        const from = (y * panel.width + x) * panel.channels
        const to = ((top + y) * width + left + x) * 3
        const alpha = panel.channels === 4 ? panel.data[from + 3] / 255 : 1
        for (let c = 0; c < 3; c++) {
          const value = panel.data[from + (panel.channels === 1 ? 0 : c)]
          data[to + c] = Math.round(value * alpha + BACKGROUND * (1 - alpha))
        }
      }
    }
    if (labels) writeLabel(data, width, labels[index], left, panel.width)
    left += panel.width + GAP
  }
  return ndarray(data, [height, width, 3])
}

/** Writes a label over a panel, twice as large where there is room, cut where there is none. */
function writeLabel(data: Uint8Array, width: number, label: string, left: number, room: number): void {
  const scale = label.length * GLYPH_ADVANCE * 2 <= room ? 2 : 1
  const top = GAP + (LABEL_HEIGHT - GLYPH_HEIGHT * scale) / 2
  drawText(label, (dotX, dotY) => {
    for (let y = 0; y < scale; y++) {
      for (let x = 0; x < scale; x++) {
        const column = dotX * scale + x
        if (column >= room) continue
        const to = ((top + dotY * scale + y) * width + left + column) * 3
        data.fill(INK, to, to + 3)
      }
    }
  })
}
