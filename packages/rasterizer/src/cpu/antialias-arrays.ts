import type { Crossings } from './crossings.js'

/** Fills `output` with the picture, colour moved over silhouettes. */
export function blendSilhouettes(
  { nearer, farther, near, far }: Crossings,
  image: Float32Array,
  channels: number,
  output: Float32Array,
): void {
  output.set(image)
  for (let n = 0; n < nearer.length; n++) {
    const amount = near[n] / (near[n] - far[n]) - 0.5
    const a = nearer[n] * channels
    const b = farther[n] * channels
    const target = amount >= 0 ? b : a
    for (let k = 0; k < channels; k++) output[target + k] += amount * (image[a + k] - image[b + k])
  }
}

/** Fills `gradient` with that of the picture. */
export function blendImageGradient(
  { nearer, farther, near, far }: Crossings,
  upstream: Float32Array,
  channels: number,
  gradient: Float32Array,
): void {
  gradient.set(upstream)
  for (let n = 0; n < nearer.length; n++) {
    const amount = near[n] / (near[n] - far[n]) - 0.5
    const a = nearer[n] * channels
    const b = farther[n] * channels
    const target = amount >= 0 ? b : a
    for (let k = 0; k < channels; k++) {
      const moved = amount * upstream[target + k]
      gradient[a + k] += moved
      gradient[b + k] -= moved
    }
  }
}

/** Fills `gradient` with that of the clip-space vertices of pictures of W x H pixels.
 *
 * The crossing is at t = n / (n - f), with the edge functions n and f at the two centres:
 * dt = (n df - f dn) / (n - f)^2, and the edge function is bilinear in the two vertices.
 */
export function blendVertexGradient(
  { nearer, farther, first, second, near, far }: Crossings,
  clip: Float32Array,
  image: Float32Array,
  upstream: Float32Array,
  channels: number,
  width: number,
  height: number,
  gradient: Float32Array,
): void {
  const halfWidth = width / 2
  const halfHeight = height / 2
  gradient.fill(0)
  /** Adds `scale` times the derivative of the edge function of vertices a and b at the centre of pixel q. */
  const addEdge = (a: number, b: number, q: number, scale: number) => {
    const dx = halfWidth - ((q % width) + 0.5)
    const dy = halfHeight - ((Math.floor(q / width) % height) + 0.5)
    const au = clip[a] * halfWidth + clip[a + 3] * dx
    const av = clip[a + 3] * dy - clip[a + 1] * halfHeight
    const bu = clip[b] * halfWidth + clip[b + 3] * dx
    const bv = clip[b + 3] * dy - clip[b + 1] * halfHeight
    gradient[a] += scale * bv * halfWidth
    gradient[a + 1] += scale * bu * halfHeight
    gradient[a + 3] += scale * (bv * dx - bu * dy)
    gradient[b] -= scale * av * halfWidth
    gradient[b + 1] -= scale * au * halfHeight
    gradient[b + 3] += scale * (au * dy - av * dx)
  }
  for (let n = 0; n < nearer.length; n++) {
    const difference = near[n] - far[n]
    const target = (near[n] / difference >= 0.5 ? farther[n] : nearer[n]) * channels
    let slope = 0
    for (let k = 0; k < channels; k++) {
      slope += upstream[target + k] * (image[nearer[n] * channels + k] - image[farther[n] * channels + k])
    }
    if (slope === 0) continue
    const scale = slope / (difference * difference)
    addEdge(4 * first[n], 4 * second[n], nearer[n], -far[n] * scale)
    addEdge(4 * first[n], 4 * second[n], farther[n], near[n] * scale)
  }
}
