import type { Crown, DentalArch } from './dental-arch.js'
import type { Part } from './part.js'
import { along, lerp, piecewise, type Vec3 } from './vector.js'

type Knots = readonly (readonly [q: number, share: number])[]

/** Outlines by height: q is 0 at edge or cusps, 1 at the cervix. `width` in parts of the width (1 at the cervix: the width there), `front` and `back` the labial and the
 * lingual surface: of front teeth in mm from the edge and in parts of the depth, of others in parts of half the depth. */
const OUTLINES: Record<Crown['kind'], { rings: readonly number[]; width: Knots; front: Knots; back: Knots }> =
  {
    incisor: {
      rings: [0, 0.07, 0.25, 0.55, 0.85, 1.12],
      width: [
        [0, 0.91],
        [0.07, 0.96],
        [0.25, 1],
        [0.55, 0.94],
        [1, 0],
      ],
      front: [
        [0, -0.15],
        [0.07, 0.15],
        [0.25, 0.5],
        [0.55, 0.8],
        [0.85, 0.75],
        [1.12, -0.6],
      ],
      back: [
        [0, 0.15],
        [0.07, 0.2],
        [0.25, 0.3],
        [0.55, 0.45],
        [0.85, 0.85],
        [1.12, 0.8],
      ],
    },
    canine: {
      rings: [0, 0.1, 0.28, 0.55, 0.85, 1.12],
      width: [
        [0, 0.62],
        [0.1, 0.84],
        [0.28, 1],
        [0.55, 0.95],
        [1, 0],
      ],
      front: [
        [0, -0.1],
        [0.1, 0.35],
        [0.28, 0.8],
        [0.55, 1.2],
        [0.85, 1.1],
        [1.12, -1],
      ],
      back: [
        [0, 0.12],
        [0.1, 0.22],
        [0.28, 0.38],
        [0.55, 0.58],
        [0.85, 0.85],
        [1.12, 0.8],
      ],
    },
    premolar: {
      rings: [0, 0.12, 0.35, 0.7, 1.12],
      width: [
        [0, 0.72],
        [0.12, 0.9],
        [0.35, 1],
        [1, 0],
      ],
      front: [
        [0, 0.6],
        [0.12, 0.78],
        [0.35, 0.93],
        [0.7, 1],
        [1.12, 0.45],
      ],
      back: [
        [0, 0.6],
        [0.12, 0.8],
        [0.35, 0.97],
        [0.7, 1],
        [1.12, 0.85],
      ],
    },
    molar: {
      rings: [0, 0.14, 0.4, 0.75, 1.12],
      width: [
        [0, 0.82],
        [0.14, 0.95],
        [0.4, 1],
        [1, 0],
      ],
      front: [
        [0, 0.68],
        [0.14, 0.84],
        [0.4, 0.97],
        [0.75, 1],
        [1.12, 0.45],
      ],
      back: [
        [0, 0.66],
        [0.14, 0.84],
        [0.4, 0.98],
        [0.75, 1],
        [1.12, 0.88],
      ],
    },
  }
/** Vertices of a ring. */
const AROUND = { incisor: 12, canine: 12, premolar: 10, molar: 12 } as const
/** Crowns are narrower than their places by this share: a gap that one sees as a line. */
const GAP = 0.006
/** Height of the contacts between teeth. */
const CONTACT = 0.3
/** Incisors are straighter on the side of the midline: share of what the outline loses there. */
const MESIAL = 0.3

/** One tooth in its place. */
export class Tooth {
  readonly crown: Crown
  readonly #origin: Vec3
  /** To the side of growing s, outwards, into the gum. */
  readonly #axes: readonly [Vec3, Vec3, Vec3]
  /** 1 where growing s is distal. */
  readonly #side: number

  /** @param s - its middle on the arch */
  constructor(crown: Crown, arch: DentalArch, s: number) {
    const { forth, out, gum } = arch.frame(s)
    this.crown = crown
    this.#side = Math.sign(s)
    const [torque, tip] = [crown.torque, crown.tip].map((degrees) => (degrees * Math.PI) / 180)
    // Turned about the height of the contacts, where neighbours meet.
    this.#origin = along(arch.place(s), [-this.#side * Math.sin(tip) * CONTACT * crown.length, forth])
    const zero: Vec3 = [0, 0, 0]
    const lean = along(zero, [Math.cos(torque), gum], [-Math.sin(torque), out])
    this.#axes = [
      along(zero, [Math.cos(tip), forth], [-this.#side * Math.sin(tip), lean]),
      along(zero, [Math.cos(torque), out], [Math.sin(torque), gum]),
      along(zero, [Math.cos(tip), lean], [this.#side * Math.sin(tip), forth]),
    ]
  }

  /** Half the width at a height, on one side. */
  #halfWidth(q: number, distal: boolean): number {
    const { kind, width, cervicalWidth } = this.crown
    const { width: knots } = OUTLINES[kind]
    const full = (width / 2) * (1 - GAP)
    const last = knots.at(-2)!
    if (q <= last[0]) {
      const share = piecewise(knots, q)
      return full * (kind === 'incisor' && !distal ? 1 - MESIAL * (1 - share) : share)
    }
    const share = Math.min(1, (q - last[0]) / (1 - last[0]))
    // Contacts are near the edge, and roots taper: the flank is a curve, not a straight line.
    return lerp(full * last[1], cervicalWidth / 2, share ** 1.3)
  }

  /** Labial and lingual surface at a height, from the arch's line outwards, mm. */
  #depths(q: number): [labial: number, lingual: number] {
    const { kind, depth, cervicalDepth } = this.crown
    const { front, back } = OUTLINES[kind]
    if (kind === 'incisor' || kind === 'canine')
      return [
        piecewise(front, q),
        -lerp(depth, cervicalDepth, Math.max(0, q - 0.85) / 0.27) * piecewise(back, q),
      ]
    const half = (q > 0.7 ? lerp(depth, cervicalDepth, (q - 0.7) / 0.42) : depth) / 2
    return [half * piecewise(front, q), -half * piecewise(back, q)]
  }

  /** A point of its surface.
   *
   * @param q - height, 0 at the edge, 1 at the cervix
   * @param angle - around it: 0 towards growing s, a quarter turn outwards
   * @param lift - further out of the tooth, mm
   * @param raise - further into the gum, mm
   */
  surface(q: number, angle: number, lift = 0, raise = 0): Vec3 {
    const [labial, lingual] = this.#depths(q)
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
    const half = this.#halfWidth(q, this.#side * cosine > 0) + lift
    // Flat in front, round behind, and narrower behind.
    const power = 2 / (sine > 0 ? 2.7 : 2.2)
    const front = this.crown.kind === 'incisor' || this.crown.kind === 'canine'
    const taper = sine < 0 ? 1 - (front ? 0.3 : 0.1) * -sine : 1
    const a = half * Math.sign(cosine) * Math.abs(cosine) ** power * taper
    const middle = (labial + lingual) / 2
    const b = middle + ((labial - lingual) / 2 + lift) * Math.sign(sine) * Math.abs(sine) ** power
    const [forth, out, gum] = this.#axes
    return along(this.#origin, [a, forth], [b, out], [q * this.crown.length + raise, gum])
  }

  /** Adds its mesh. @param jaw - 1 of a lower one */
  build(part: Part, jaw: number): void {
    const { kind } = this.crown
    const count = AROUND[kind]
    const { rings } = OUTLINES[kind]
    const angles = Array.from({ length: count }, (_, k) => (2 * Math.PI * k) / count)
    const rows = rings.map((q) =>
      angles.map((angle) =>
        part.add(
          this.surface(q, angle, 0, q < 0.2 ? this.#edge(angle) * (1 - q / 0.2) : 0),
          jaw,
          1 - Math.min(1, q),
        ),
      ),
    )
    // Growing angles turn from growing s outwards: seen from outside to the left above, as upper teeth have it.
    const flip = jaw === 1
    for (let r = 1; r < rows.length; r++) part.band(rows[r], rows[r - 1], { closed: true, flip: !flip })
    const [top] = rows
    if (kind === 'incisor' || kind === 'canine') {
      // The edge: a strip between the labial and the lingual half of the first ring.
      for (let k = 0; k < count / 2; k++)
        part.quad([top[k], top[(count - k) % count], top[count - k - 1], top[k + 1]], !flip)
      return
    }
    const { length } = this.crown
    const inner = angles.map((angle) => {
      const groove = kind === 'molar' ? 0.4 * Math.abs(Math.cos(2 * angle)) : 0.4 * Math.abs(Math.cos(angle))
      const rim = this.surface(0, angle, 0, 1 + groove)
      const centre = this.surface(0, angle + Math.PI, 0, 1 + groove)
      return part.add(
        rim.map((value, c) => lerp((value + centre[c]) / 2, value, 0.5)) as never as Vec3,
        jaw,
        0.55,
      )
    })
    part.band(top, inner, { closed: true, flip: !flip })
    const [left, right] = [0, Math.PI].map((angle) => this.surface(0, angle, 0, 0.24 * length))
    const pit = part.add(left.map((value, c) => (value + right[c]) / 2) as never as Vec3, jaw, 0.35)
    inner.forEach((v, k) => part.triangle([v, inner[(k + 1) % count], pit], flip))
  }

  /** How far the edge is off its highest point, mm: rounded corners, tips, cusps. */
  #edge(angle: number): number {
    const { kind } = this.crown
    const across = Math.abs(Math.cos(angle))
    const distal = this.#side * Math.cos(angle) > 0
    if (kind === 'incisor') return (distal ? 0.8 : 0.2) * across ** 5
    if (kind === 'canine') return (distal ? 1.5 : 1.1) * across
    if (kind === 'premolar') return 1.3 * across + (Math.sin(angle) < 0 ? 0.5 : 0)
    return 0.9 * Math.abs(Math.cos(2 * angle))
  }
}
