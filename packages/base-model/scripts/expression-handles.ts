import { lowerLipRings, rightBrow, rightEyeRings, rim, upperLipRings } from './face-parts.js'
import type { Handles, Vector } from './smooth-deformation.js'

/** How some control vertices move, in mm; x is negative away from the middle, since they are on the subject's right. */
type Moves = readonly (readonly [readonly number[], Vector])[]

/** Parts of the face that an expression leaves where they are; right half and middle. */
export const stillParts = {
  bridge: [168, 6, 197, 195, 5, 4, 1, 122, 196, 174, 236, 198, 3, 51],
  noseBase: [19, 94, 2, 97, 98, 64, 48, 129, 102],
  lids: [...rightEyeRings[0], ...rightEyeRings[1]],
  brows: [...rightBrow.upper, ...rightBrow.lower],
  forehead: [10, 109, 67, 103, 54, 21, 162, 151, 9, 108, 69, 104, 68, 71, 139],
  sides: [127, 234, 93, 132, 58, 227, 137, 177, 116, 34],
  jaw: [172, 136, 150, 149, 176, 148, 152],
  chin: [175, 199, 171, 208, 32, 140, 170],
  lips: [...upperLipRings, ...lowerLipRings].flatMap((ring) => ring.slice(0, 6)),
} as const
export type StillPart = keyof typeof stillParts

const lipsAt = (rings: readonly (readonly number[])[], k: number) => rings.map((ring) => ring[k])
const corners = lipsAt(upperLipRings, 0)

/** Symmetric expressions by their handles. Amounts are those of a full, not exaggerated activation. */
export const expressionHandles: Record<string, { moves: Moves; still: readonly StillPart[] }> = {
  mouthSmile: {
    moves: [
      [corners, [-8, 6.5, -5]],
      [lipsAt(upperLipRings, 3), [-3.6, 2.2, -2.4]],
      [lipsAt(upperLipRings, 5), [0, 0.3, -1.4]],
      [lipsAt(lowerLipRings, 3), [-3.4, 1.5, -2.6]],
      [lipsAt(lowerLipRings, 5), [0, 0.2, -1.6]],
      [[205], [-1.2, 3.6, 2.2]],
      [
        [50, 101],
        [-0.6, 2.6, 1.4],
      ],
      [[207], [-4.5, 4, -1.2]],
      [
        [98, 64, 129],
        [-0.9, 0.6, 0],
      ],
      [rightEyeRings[0].slice(9), [0, 0.5, 0]],
    ],
    still: ['bridge', 'brows', 'forehead', 'sides', 'jaw'],
  },
  mouthFrown: {
    moves: [
      [corners, [-1.5, -6.5, -1.5]],
      [lipsAt(upperLipRings, 3), [-0.4, -1.8, -0.3]],
      [lipsAt(upperLipRings, 5), [0, 0, 0]],
      [lipsAt(lowerLipRings, 3), [-0.5, -1.2, 0]],
      [lipsAt(lowerLipRings, 5), [0, 0.6, 0.5]],
      [
        [199, 200],
        [0, 1.2, 0.8],
      ],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
  },
  mouthDimple: {
    moves: [
      [corners, [-4.5, 0.8, -4.5]],
      [lipsAt(upperLipRings, 3), [-1.8, 0.2, -1.4]],
      [lipsAt(lowerLipRings, 3), [-1.8, 0.2, -1.4]],
      [lipsAt(upperLipRings, 5), [0, 0, -0.6]],
      [lipsAt(lowerLipRings, 5), [0, 0, -0.6]],
      [
        [207, 187],
        [-1.2, 0.6, 0.8],
      ],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw', 'chin'],
  },
  mouthStretch: {
    moves: [
      [corners, [-8.5, -3, -5]],
      [lipsAt(upperLipRings, 3), [-3.4, -0.4, -1.8]],
      [lipsAt(lowerLipRings, 3), [-3.8, -1.8, -2]],
      [lipsAt(upperLipRings, 5), [0, 0, -1]],
      [lipsAt(lowerLipRings, 5), [0, -0.9, -1.2]],
      [[207], [-3, -0.8, -0.8]],
      [
        [149, 150],
        [-0.8, -0.8, 0],
      ],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'chin'],
  },
  mouthUpperUp: {
    moves: [
      [corners, [-0.4, 0.6, -0.3]],
      [lipsAt(upperLipRings, 2), [-0.6, 3.6, 0.2]],
      [lipsAt(upperLipRings, 3), [-0.5, 5, 0.5]],
      [lipsAt(upperLipRings, 4), [-0.2, 4.8, 0.6]],
      [lipsAt(upperLipRings, 5), [0, 4.2, 0.6]],
      [lowerLipRings.flatMap((ring) => [ring[3], ring[5]]), [0, 0, 0]],
      [
        [64, 129, 98, 102, 48],
        [-0.7, 1.6, 0.3],
      ],
      [
        [205, 206],
        [-0.4, 2.4, 1.4],
      ],
    ],
    still: ['bridge', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
  },
  mouthLowerDown: {
    moves: [
      [corners, [-0.6, -0.8, -0.4]],
      [lipsAt(lowerLipRings, 2), [-0.8, -3.6, -0.3]],
      [lipsAt(lowerLipRings, 3), [-0.8, -5, -0.3]],
      [lipsAt(lowerLipRings, 4), [-0.3, -5, -0.2]],
      [lipsAt(lowerLipRings, 5), [0, -4.6, -0.2]],
      [upperLipRings.flatMap((ring) => [ring[3], ring[5]]), [0, 0, 0]],
      [[200], [0, -1.2, 0.4]],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
  },
  browDown: {
    moves: [
      [
        [107, 55],
        [2, -5, 0.6],
      ],
      [
        [66, 65],
        [1.2, -4.6, 0.6],
      ],
      [
        [105, 52],
        [0.5, -3.6, 0.3],
      ],
      [
        [63, 53],
        [0, -2.2, 0],
      ],
      [
        [70, 46],
        [0, -1, 0],
      ],
      [
        [9, 8],
        [0, -3, 0.7],
      ],
      [[168], [0, -1, 0.3]],
      [
        [222, 223],
        [0.2, -1.8, 0.4],
      ],
      [rightEyeRings[1].slice(1, 8), [0, -0.4, 0]],
    ],
    still: ['sides', 'forehead'],
  },
  browInnerUp: {
    moves: [
      [
        [107, 55],
        [0.6, 6.5, -0.4],
      ],
      [
        [66, 65],
        [0.3, 4.4, -0.2],
      ],
      [
        [105, 52],
        [0, 1.6, 0],
      ],
      [
        [63, 53, 70, 46],
        [0, -0.4, 0],
      ],
      [[9], [0, 4.2, -0.3]],
      [[8], [0, 2.6, 0]],
      [[108], [0, 3.4, -0.6]],
      [[151], [0, 2.6, -0.6]],
      [
        [222, 221],
        [0, 1.6, 0],
      ],
    ],
    still: ['sides', 'lids'],
  },
  browOuterUp: {
    moves: [
      [
        [70, 46],
        [-0.4, 5.2, -1],
      ],
      [
        [63, 53],
        [-0.3, 7, -1],
      ],
      [
        [105, 52],
        [0, 6.2, -0.8],
      ],
      [
        [66, 65],
        [0, 2.6, -0.2],
      ],
      [
        [107, 55, 9],
        [0, 0.5, 0],
      ],
      [
        [68, 104],
        [0, 2.6, -1.2],
      ],
      [
        [223, 224, 225],
        [0, 2.2, 0],
      ],
    ],
    still: ['sides', 'lids'],
  },
  cheekPuff: {
    moves: [
      [
        [187, 207, 205, 147],
        [-5.5, 0, 4.5],
      ],
      [
        [213, 192, 216],
        [-5.5, -0.6, 4.5],
      ],
      [
        [206, 212],
        [-3.5, 0, 4],
      ],
      [[50], [-2, 0.4, 1.8]],
      [corners, [0.8, 0, 1.5]],
      [upperLipRings.slice(0, 2).flatMap((ring) => [ring[3], ring[5]]), [0, 0.2, 1.8]],
      [lowerLipRings.slice(0, 2).flatMap((ring) => [ring[3], ring[5]]), [0, -0.2, 1.4]],
      [
        [upperLipRings[3][5], lowerLipRings[3][5]],
        [0, 0, 1],
      ],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'chin'],
  },
  cheekSquint: {
    moves: [
      [
        [50, 101, 118, 117],
        [0.2, 3.6, 1.6],
      ],
      [
        [205, 36],
        [0, 3, 1.6],
      ],
      [rightEyeRings[2].slice(9), [0, 2, 0.8]],
      [rightEyeRings[1].slice(9), [0, 1.5, 0.4]],
      [rightEyeRings[0].slice(9), [0, 1, 0.1]],
      [corners, [-0.3, 0.7, 0]],
    ],
    still: ['bridge', 'noseBase', 'brows', 'forehead', 'sides', 'jaw', 'chin'],
  },
  noseSneer: {
    moves: [
      [
        [129, 64, 102, 48, 49],
        [-0.9, 4.6, -0.2],
      ],
      [
        [98, 115],
        [-0.5, 3.6, 0],
      ],
      [
        [198, 209, 126],
        [0, 2.2, 0.9],
      ],
      [
        [174, 236, 3, 51],
        [0, 1.2, 0.6],
      ],
      [
        [4, 1, 19],
        [0, 0.8, 0],
      ],
      [
        [97, 2],
        [0, 1.3, 0],
      ],
      [upperLipRings.flatMap((ring) => [ring[3], ring[4]]), [-0.2, 3, 0.2]],
      [upperLipRings.flatMap((ring) => [ring[5]]), [0, 1.8, 0]],
      [lowerLipRings.flatMap((ring) => [ring[3], ring[5]]), [0, 0, 0]],
      [
        [205, 36, 142],
        [0, 2.2, 1],
      ],
      [
        [107, 55],
        [0.5, -1.4, 0.3],
      ],
      [
        [8, 9],
        [0, -0.9, 0.3],
      ],
    ],
    still: ['sides', 'forehead', 'jaw'],
  },
  mouthPress: {
    moves: [
      [corners, [-1, 0.4, -1.6]],
      [upperLipRings[0].slice(1, 6), [0, -1, -0.8]],
      [upperLipRings[1].slice(1, 6), [0, -0.9, -2]],
      [upperLipRings[2].slice(1, 6), [0, -0.6, -1.8]],
      [upperLipRings[3].slice(1, 6), [0, -0.1, -1.4]],
      [lowerLipRings[0].slice(1, 6), [0, 1.6, -0.8]],
      [lowerLipRings[1].slice(1, 6), [0, 1.3, -2]],
      [lowerLipRings[2].slice(1, 6), [0, 0.8, -1.8]],
      [lowerLipRings[3].slice(1, 6), [0, 0.2, -1.4]],
      [
        [199, 200],
        [0, 0.8, 0.6],
      ],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
  },
  mouthRollUpper: {
    moves: [
      [corners, [0, 0, -0.6]],
      [upperLipRings[0].slice(2, 6), [0, -2, -1.4]],
      [upperLipRings[1].slice(2, 6), [0, -2.4, -3.4]],
      [upperLipRings[2].slice(2, 6), [0, -0.8, -4]],
      [upperLipRings[3].slice(2, 6), [0, 0.2, -4]],
      [lowerLipRings.flatMap((ring) => [ring[3], ring[5]]), [0, 0.1, 0]],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw', 'chin'],
  },
  mouthRollLower: {
    moves: [
      [corners, [0, 0, -0.6]],
      [lowerLipRings[0].slice(2, 6), [0, 2.6, -1.6]],
      [lowerLipRings[1].slice(2, 6), [0, 2.4, -4]],
      [lowerLipRings[2].slice(2, 6), [0, 0.8, -4.6]],
      [lowerLipRings[3].slice(2, 6), [0, -0.2, -4.4]],
      [upperLipRings.flatMap((ring) => [ring[3], ring[5]]), [0, -0.1, 0]],
      [[200], [0, 0.8, -0.4]],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
  },
  mouthShrugLower: {
    moves: [
      [corners, [0.2, 0.4, 0]],
      [lowerLipRings.flatMap((ring) => ring.slice(2, 6)), [0, 4.6, 2.4]],
      [upperLipRings.flatMap((ring) => ring.slice(2, 6)), [0, 3.4, 1]],
      [
        [200, 199, 208, 201],
        [0, 3.4, 1],
      ],
      [
        [175, 171],
        [0, 2.6, 1],
      ],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw'],
  },
  mouthShrugUpper: {
    moves: [
      [corners, [0.2, 0.2, 0]],
      [upperLipRings.flatMap((ring) => ring.slice(2, 6)), [0, 2.6, 1.4]],
      [lowerLipRings.flatMap((ring) => ring.slice(2, 6)), [0, 2, 0.6]],
    ],
    still: ['bridge', 'noseBase', 'lids', 'brows', 'forehead', 'sides', 'jaw', 'chin'],
  },
}

/** All vertices of the rim, for expressions that only move the middle of the face. */
export const rimVertices: readonly number[] = rim

/** Handles of a symmetric expression: moves and their mirror images, still parts at zero where nothing else is said. */
export function mirroredHandles(
  moves: Moves,
  still: readonly StillPart[],
  mirror: readonly number[],
): Handles {
  const handles: Handles = new Map()
  const set = (vertex: number, [x, y, z]: Vector) => {
    const image = mirror[vertex]
    handles.set(vertex, [image === vertex ? 0 : x, y, z])
    if (image !== vertex) handles.set(image, [-x, y, z])
  }
  for (const part of still) for (const vertex of stillParts[part]) set(vertex, [0, 0, 0])
  for (const [vertices, move] of moves) for (const vertex of vertices) set(vertex, move)
  return handles
}
