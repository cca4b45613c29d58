/** Vertices of the canonical face by anatomy. `right` is the subject's right: at -x, at the left of the picture. */

/** Rings around the mouth from the outer lip line (0) to the inner one (3), each from the right corner to the left one. */
export const upperLipRings = [
  [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
  [76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306],
  [62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292],
  [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
] as const

export const lowerLipRings = [
  [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
  [76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306],
  [62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292],
  [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
] as const

/** Rings around the right eye from the lid margin (0) outwards: outer corner, over the upper lid to the inner corner,
 * back under the lower lid. */
export const rightEyeRings = [
  [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
  [130, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25],
  [226, 113, 225, 224, 223, 222, 221, 189, 244, 233, 232, 231, 230, 229, 228, 31],
] as const

/** Upper and lower edge of the right brow, from outside inwards. */
export const rightBrow = { upper: [70, 63, 105, 66, 107], lower: [46, 53, 52, 65, 55] } as const

/** The rim of the mesh, clockwise in the picture from the middle of the forehead. */
export const rim = [
  10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
  150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
] as const

/** The 68 landmarks of iBUG / 300-W, the subject's right jaw first. */
export const landmarks68 = [
  127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356, 70, 63, 105, 66, 107,
  336, 296, 334, 293, 300, 168, 197, 5, 4, 240, 97, 2, 326, 460, 33, 160, 158, 133, 153, 144, 362, 385, 387,
  263, 373, 380, 61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91, 78, 81, 13, 311, 308, 402, 14, 178,
] as const

/** Where labels of photographs have the 68 landmarks, as vertices of the subdivided mesh (found by learn-landmarks.ts). */
export const labelLandmarks68 = [
  127, 4607, 6080, 6921, 1336, 136, 5517, 176, 152, 400, 5511, 365, 1335, 6915, 6072, 4597, 356, 5425, 3557,
  4405, 66, 4526, 4518, 296, 4395, 3548, 5419, 1229, 1447, 2588, 1642, 6713, 6342, 5592, 6340, 6709, 33, 160,
  158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61, 2070, 1833, 0, 1822, 2062, 291, 757, 314, 17, 84, 758,
  78, 5014, 13, 5009, 308, 5967, 14, 5972,
] as const

/** The place among the 68 landmarks of each one's mirror image. */
export const mirroredLandmarks68 = [
  16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28,
  29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59,
  58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
] as const
