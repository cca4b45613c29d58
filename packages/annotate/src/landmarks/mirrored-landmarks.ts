/** Where each of the 68 landmarks is in a mirrored face: landmark `i` of the mirror image is landmark `mirroredLandmarks[i]`. */
export const mirroredLandmarks: readonly number[] = [
  ...range(16, 0),
  ...range(26, 17),
  ...range(27, 30),
  ...range(35, 31),
  ...range(45, 42),
  47,
  46,
  ...range(39, 36),
  41,
  40,
  ...range(54, 48),
  ...range(59, 55),
  ...range(64, 60),
  ...range(67, 65),
]

function range(from: number, to: number): number[] {
  const step = Math.sign(to - from)
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => from + i * step)
}
