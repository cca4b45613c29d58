import { createRandom, type Random } from '@facekit/core'
import { HEAD_CENTER } from './head-part.js'
import { vector3, type Vector3 } from '../vector.js'
import { mix, smoothstep } from './mesh-part.js'
import { surfacePoint, type ShellGrid } from './shell-grid.js'

/** Below the skin by so much where nothing grows, mm. */
export const HIDDEN = -24

/** Slow noise over directions: a few waves. */
function waves(random: Random, frequency: number): (direction: Vector3) => number {
  const all = Array.from({ length: 5 }, () => ({
    axis: [0, 1, 2].map(() => random.normal(0, frequency)),
    phase: random.uniform(0, 2 * Math.PI),
  }))
  return (d) =>
    all.reduce(
      (sum, { axis, phase }) => sum + Math.sin(axis[0] * d[0] + axis[1] * d[1] + axis[2] * d[2] + phase),
      0,
    ) / 2.2
}

/** Makes haircuts: how thick hair is over each point of a head, mm.
 *
 * A hairline (forehead, temples, sideburns, behind the ears, nape), the volume on top, at the sides and behind, a fringe, locks that
 * hang down beside the face, a bun; lumps of two sizes.
 *
 * @returns `[count * V]`
 */
export function hairStyles(grid: ShellGrid, count: number, seed: number): Float32Array {
  const random = createRandom(seed)
  const result = new Float32Array(count * grid.count)
  for (let style = 0; style < count; style++) {
    const cut = sampleCut(random)
    for (let v = 0; v < grid.count; v++) {
      const direction = vector3((c) => grid.directions[v * 3 + c])
      result[style * grid.count + v] = cut(direction, surfacePoint(grid, v), grid.radius[v])
    }
  }
  return result
}

function sampleCut(random: Random): (direction: Vector3, point: Vector3, radius: number) => number {
  const length = random.uniform()
  const long = length > 0.62
  const short = length < 0.4
  const hairline = random.normal(89, 8)
  const recession = random.uniform() < 0.25 ? random.uniform(5, 30) : random.uniform(-3, 6)
  const fringe = random.uniform() < 0.35 ? random.uniform(38, 66) : undefined
  const parting = random.normal(0, 25)
  const swept = random.normal(0, 0.25)
  const sideburn = random.uniform(-35, 15)
  const nape = long ? -200 : random.uniform(-85, -40)
  const top = short ? random.uniform(2, 12) : random.uniform(10, 34)
  const sides = short ? random.uniform(1.5, 8) : random.uniform(5, 26)
  const back = random.uniform(4, 26)
  const afro = !long && random.uniform() < 0.15 ? random.uniform(15, 55) : 0
  const bun = random.uniform() < 0.12 ? random.uniform(15, 45) : 0
  const bunAt: Vector3 = [random.normal(0, 0.15), random.uniform(0.2, 0.95), -0.6]
  const low = waves(random, 3)
  const high = waves(random, 9)
  const lumps = random.uniform(0.05, 0.35)
  const curtain = {
    end: random.uniform(-260, -60),
    width: random.uniform(84, 125),
    // From the front: where the hair beside the face begins, radians.
    open: random.uniform(0.85, 1.6),
    asymmetry: random.normal(0, 0.15),
  }
  const behindEars = random.uniform() < 0.4
  return (direction, [x, y, z], radius) => {
    const [dx, dy, dz] = direction
    // The hairline: how far back hair begins at a height.
    const line = hairline - recession * smoothstep(18, 50, Math.abs(x)) * 0.5 - swept * x * 0.3
    const forehead = y - line + recession * Math.exp(-((Math.abs(x) - 35) ** 2) / 400) * -0.4
    const temple = mix(-14, 32, smoothstep(15, line, y)) - (recession > 5 ? recession * 0.6 : 0)
    const side = y > sideburn ? temple - z : -52 - z
    let inside = Math.max(forehead, Math.min(side, y - nape))
    if (y < sideburn && !behindEars) inside = Math.max(inside, Math.min(side, y - nape))
    let fringed = 0
    if (fringe !== undefined && z > -25 && y > fringe - 10) {
      const part = Math.abs(x - parting) / 40
      const edge = fringe + 12 * Math.exp(-part * part) + swept * x * 0.8
      fringed = smoothstep(0, 14, y - edge)
      inside = Math.max(inside, y - edge)
    }
    const up = smoothstep(0.1, 0.85, dy)
    const behind = smoothstep(0.2, -0.6, dz)
    let volume = mix(mix(sides, back, behind), top, up) + afro * smoothstep(-0.5, 0.1, dy)
    volume *= 1 + lumps * (0.6 * low(direction) + 0.4 * high(direction))
    if (fringed > 0) volume = Math.min(volume, mix(3, volume, smoothstep(60, 95, y)) + 4)
    if (bun > 0) {
      const near = dx * bunAt[0] + dy * bunAt[1] + dz * bunAt[2]
      const size = Math.hypot(...bunAt)
      volume += bun * smoothstep(0.9, 0.97, near / size)
    }
    const growth = smoothstep(0, 26, inside)
    let thickness = inside > 0 ? Math.max(1.2, volume * growth) : Math.max(HIDDEN, inside * 0.9)
    if (long) thickness = Math.max(thickness, hanging(direction, radius))
    return thickness
  }

  function hanging([dx, dy, dz]: Vector3, radius: number): number {
    if (dy > 0.35) return HIDDEN
    const around = Math.atan2(Math.abs(dx), dz)
    const open = curtain.open + curtain.asymmetry * Math.sign(dx) + 0.05 * low([dx, dy, dz])
    const present = smoothstep(open, open + 0.22, around) * smoothstep(0.35, 0.1, dy)
    if (present <= 0) return HIDDEN
    const flat = Math.max(1e-3, Math.hypot(dx, dz))
    const width = curtain.width * (1 + 0.08 * high([dx, dy, dz]))
    const last = curtain.end + 22 * high([dx, 0, dz]) + 15 * low([dx, 0, dz])
    const end = (HEAD_CENTER[1] - last) / Math.max(1e-3, -dy)
    const reach = Math.min(width / flat, dy < 0 ? end : Infinity)
    return mix(HIDDEN, Math.max(HIDDEN, reach - radius), present)
  }
}

/** Makes hats as shells: caps, beanies, felt hats without brim, hoods and headscarves.
 *
 * @returns `[count * V]` mm over the head
 */
export function hatStyles(grid: ShellGrid, count: number, seed: number): Float32Array {
  const random = createRandom(seed)
  const result = new Float32Array(count * grid.count)
  for (let style = 0; style < count; style++) {
    const scarf = style % 4 === 3
    const line = random.uniform(60, 94)
    const slope = random.uniform(0.1, 0.55)
    const tilt = random.normal(0, 0.08)
    const thickness = random.uniform(6, 16)
    const crown = random.uniform() < 0.4 ? random.uniform(10, 45) : random.uniform(0, 10)
    const flat = random.uniform() < 0.4
    const bulge = waves(random, 4)
    const face = {
      width: random.uniform(62, 76),
      up: random.uniform(62, 82),
      down: random.uniform(-120, -88),
    }
    for (let v = 0; v < grid.count; v++) {
      const direction = vector3((c) => grid.directions[v * 3 + c])
      const [x, y, z] = surfacePoint(grid, v)
      let over: number
      if (scarf) {
        const middle = (face.up + face.down) / 2
        const oval = Math.hypot(x / face.width, (y - middle) / (face.up - middle))
        over = z < 0 ? 40 : (oval - 1) * 55
        const reach =
          Math.min(120 / Math.max(0.2, Math.hypot(direction[0], direction[2])), 260) - grid.radius[v]
        const falls = smoothstep(0, -0.6, direction[1])
        const base = thickness * (1 + 0.25 * bulge(direction))
        const depth = mix(base, Math.max(base, reach), falls)
        result[style * grid.count + v] =
          over > 0 ? depth * smoothstep(0, 8, over) + 1 : Math.max(HIDDEN, over)
        continue
      }
      over = y - (line + slope * (z - 42) + tilt * x)
      const top = smoothstep(0.2, 0.95, direction[1])
      const high = flat ? Math.min(crown, 30) * smoothstep(0, 20, over) : crown * top
      const depth = thickness * (1 + 0.08 * bulge(direction)) + high
      result[style * grid.count + v] = over > 0 ? depth * smoothstep(-3, 4, over) : Math.max(HIDDEN, over)
    }
  }
  return result
}
