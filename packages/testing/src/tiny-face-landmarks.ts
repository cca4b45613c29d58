/** Where landmarks 0 to 59 of `createTinyFace` are looked for, `[x, y]` mm; 60 to 67 are the rim of its mouth. */
export const tinyFaceLandmarkTargets: readonly (readonly [number, number])[] = [
  // jaw, the subject's right first
  ...Array.from({ length: 17 }, (_, i): [number, number] => {
    const angle = Math.PI * (1.02 + (0.96 * i) / 16)
    return [74 * Math.cos(angle), 20 + 112 * Math.sin(angle)]
  }),
  // brows
  ...mirrored([-58, 40], [-50, 46], [-40, 48], [-28, 46], [-16, 42]),
  // ridge and wings of the nose
  [0, 25],
  [0, 13],
  [0, 1],
  [0, -11],
  ...mirrored([-12, -20], [-6, -21]).toSpliced(2, 0, [0, -22]),
  // eyes: each from its corner at the subject's right
  [-43, 25],
  [-36, 30],
  [-26, 30],
  [-19, 25],
  [-26, 21],
  [-36, 21],
  [19, 25],
  [26, 30],
  [36, 30],
  [43, 25],
  [36, 21],
  [26, 21],
  // outer mouth
  [-24, -43],
  [-14, -38],
  [-6, -36],
  [0, -37],
  [6, -36],
  [14, -38],
  [24, -43],
  [14, -50],
  [6, -53],
  [0, -54],
  [-6, -53],
  [-14, -50],
]

/** The points, then their mirror images in reverse order. */
function mirrored(...points: [number, number][]): [number, number][] {
  return [...points, ...points.toReversed().map(([x, y]): [number, number] => [-x, y])]
}
