/** Numbers of pictures, and of vertices of each. */
interface Size {
  batch: number
  count: number
}

const greyOf = (harmonics: Float32Array, i: number) =>
  (harmonics[i] + harmonics[i + 1] + harmonics[i + 2]) / 3

/** Fills the loss, and the mean colour of each picture. */
export function uniformForward(
  lit: Float32Array,
  harmonics: Float32Array,
  { batch, count }: Size,
  loss: Float32Array,
  means: Float32Array,
): void {
  let total = 0
  for (let item = 0; item < batch; item++) {
    for (let c = 0; c < 3; c++) {
      const [start, end] = [3 * item * count + c, 3 * (item + 1) * count]
      let sum = 0
      for (let i = start; i < end; i += 3) sum += lit[i]
      const average = sum / count
      means[3 * item + c] = average
      let squares = 0
      for (let i = start; i < end; i += 3) squares += (lit[i] - average) ** 2
      total += squares / count
    }
  }
  for (let i = 0; i < harmonics.length; i += 3) {
    const grey = greyOf(harmonics, i)
    for (let c = 0; c < 3; c++) total += (harmonics[i + c] - grey) ** 2
  }
  loss[0] = total / batch
}

/** Fills the gradients of lit albedo and harmonics. */
export function uniformBackward(
  inputs: { lit: Float32Array; harmonics: Float32Array; means: Float32Array; upstream: Float32Array },
  { batch, count }: Size,
  gradients: { lit: Float32Array; harmonics: Float32Array },
): void {
  const { lit, harmonics, means, upstream } = inputs
  const factor = (2 * upstream[0]) / batch
  for (let item = 0, i = 0; item < batch; item++) {
    for (const end = i + 3 * count; i < end; i += 3) {
      for (let c = 0; c < 3; c++) {
        gradients.lit[i + c] = (factor / count) * (lit[i + c] - means[3 * item + c])
      }
    }
  }
  for (let i = 0; i < harmonics.length; i += 3) {
    const grey = greyOf(harmonics, i)
    for (let c = 0; c < 3; c++) gradients.harmonics[i + c] = factor * (harmonics[i + c] - grey)
  }
}
