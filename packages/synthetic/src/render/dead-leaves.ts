import { createRandom, type Random } from '@facekit/core'

/** Pictures of nothing in particular with the statistics of real ones: leaves of all sizes over each other (sizes by a power law, as
 * objects in photographs have), each with its own colour, shading, stripes, checks or grain; some have the colour of skin.
 *
 * @returns `[size * size * 3]` linear, 0..1; repeats in both directions
 */
export function deadLeaves(seed: number, size: number): Float32Array {
  const random = createRandom(seed)
  const result = new Float32Array(size * size * 3)
  const done = new Uint8Array(size * size)
  let left = done.length
  // From the front to the back: a pixel is written once.
  for (let leaf = 0; left > 0 && leaf < 60_000; leaf++) {
    const largest = size / 4
    const smallest = leaf < 25_000 ? 3 : 12
    // The power law r^-3, by its inverse distribution.
    const u = random.uniform()
    const radius = 1 / Math.sqrt(1 / smallest ** 2 + u * (1 / largest ** 2 - 1 / smallest ** 2))
    left -= renderLeaf(random, result, done, size, radius)
  }
  return result
}

function sampleColor(random: Random): [number, number, number] {
  const kind = random.uniform()
  if (kind < 0.12) {
    const level = random.uniform(0.08, 0.85)
    return [level, level * random.uniform(0.5, 0.75), level * random.uniform(0.3, 0.6)]
  }
  const level = random.uniform() ** 2
  const color = (kind < 0.8 ? 0.15 : 0.7) * level
  const rgb = [0, 1, 2].map(() => Math.min(1, Math.max(0, level + random.normal(0, 0.35) * color)))
  return rgb as [number, number, number]
}

function renderLeaf(
  random: Random,
  result: Float32Array,
  done: Uint8Array,
  size: number,
  radius: number,
): number {
  const [cx, cy] = [random.uniform(0, size), random.uniform(0, size)]
  const angle = random.uniform(0, Math.PI)
  const stretch = Math.exp(random.normal(0, 0.5))
  const round = random.uniform() < 0.5
  const first = sampleColor(random)
  const second =
    random.uniform() < 0.5 ? sampleColor(random) : first.map((value) => value * random.uniform(0.5, 1))
  const pattern = random.integer(5)
  const frequency = random.uniform(0.5, 6) / radius
  const slope = random.normal(0, 0.35) / radius
  const grain = random.uniform() < 0.4 ? random.uniform(0, 0.15) : 0
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const reach = Math.ceil(radius * Math.max(stretch, 1 / stretch) * 1.42)
  const span = Math.min(reach, size / 2)
  let written = 0
  for (let dy = -span; dy < span; dy++) {
    for (let dx = -span; dx < span; dx++) {
      const x = (Math.floor(cx) + dx + size) % size
      const y = (Math.floor(cy) + dy + size) % size
      const at = y * size + x
      if (done[at]) continue
      const u = (cos * dx + sin * dy) / stretch
      const v = (cos * dy - sin * dx) * stretch
      if (round ? u * u + v * v > radius * radius : Math.abs(u) > radius || Math.abs(v) > radius) continue
      done[at] = 1
      written++
      const wave = Math.sin(2 * Math.PI * frequency * u)
      const other = Math.sin(2 * Math.PI * frequency * v)
      const t =
        pattern === 0
          ? 0
          : pattern === 1
            ? 0.5 + 0.5 * wave
            : pattern === 2
              ? +(wave * other > 0)
              : pattern === 3
                ? +(wave > 0.3)
                : Math.min(1, Math.max(0, 0.5 + u / radius / 2))
      const light = (1 + slope * (u + 0.6 * v)) * (1 + grain * (random.uniform() - 0.5) * 2)
      for (let c = 0; c < 3; c++) {
        const value = (first[c] * (1 - t) + second[c] * t) * light
        result[at * 3 + c] = Math.min(1, Math.max(0, value))
      }
    }
  }
  return written
}
