// Closest points on a surface and ICP, beside three-mesh-bvh: 50,625 points against a mesh of 50,625 vertices, as two scans of a face have them.
//   node --conditions=@facekit/source --import tsx benchmarks/closest-points.ts [--rounds 3] [--json results.json]
import { parseArgs } from 'node:util'
import { createRandom } from '@facekit/core'
import { alignIcp } from '@facekit/evaluation'
import { TriangleTree } from '@facekit/mesh'
import { BufferAttribute, BufferGeometry, Vector3 } from 'three'
import { MeshBVH } from 'three-mesh-bvh'
import { printTable, writeJson } from './benchmark.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'string' } },
})
const SIDE = 225
const COUNT = SIDE * SIDE
const ITERATIONS = 20

/** The front of a head-sized sphere with bumps and a scanner's noise, mm. */
function scan(seed: number, noise: number): { positions: Float64Array; triangles: Int32Array } {
  const random = createRandom(seed)
  const positions = new Float64Array(COUNT * 3)
  const triangles: number[] = []
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      const [u, v] = [-1.2 + (2.4 * i) / (SIDE - 1), -1.2 + (2.4 * j) / (SIDE - 1)]
      const radius = 90 + 4 * Math.sin(7 * u) * Math.cos(5 * v) + random.normal(0, noise)
      const at = (i * SIDE + j) * 3
      positions[at] = radius * Math.sin(u) * Math.cos(v)
      positions[at + 1] = radius * Math.sin(v)
      positions[at + 2] = radius * Math.cos(u) * Math.cos(v)
      if (i === SIDE - 1 || j === SIDE - 1) continue
      const a = i * SIDE + j
      triangles.push(a, a + SIDE, a + 1, a + 1, a + SIDE, a + SIDE + 1)
    }
  }
  return { positions, triangles: Int32Array.from(triangles) }
}

const target = scan(1, 0.2)
const source = scan(2, 0.2)
const geometry = new BufferGeometry()
geometry.setAttribute('position', new BufferAttribute(Float32Array.from(target.positions), 3))
geometry.setIndex(new BufferAttribute(Uint32Array.from(target.triangles), 1))

/** CPU time of this process, ms: what others do on the machine counts less than in the time that passes. */
const time = (work: () => void) => {
  const started = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1000
}
const best: Record<string, number> = {}
const note = (name: string, ms: number) => {
  best[name] = Math.min(best[name] ?? Infinity, ms)
}
let difference = 0
for (let round = 0; round < Number(values.rounds); round++) {
  let tree!: TriangleTree
  let bvh!: MeshBVH
  note(
    'build, ours',
    time(() => (tree = new TriangleTree(target.positions, target.triangles))),
  )
  note(
    'build, three-mesh-bvh',
    time(() => (bvh = new MeshBVH(geometry.clone()))),
  )
  for (const shift of [0.2, 2, 8]) {
    const ours = new Float64Array(COUNT)
    const theirs = new Float64Array(COUNT)
    const p = source.positions
    const point = new Vector3()
    const found = { point: new Vector3(), distance: 0, faceIndex: 0 }
    note(
      `${shift} mm away, ours`,
      time(() => {
        for (let i = 0; i < COUNT; i++)
          ours[i] = tree.nearest(p[i * 3] + shift, p[i * 3 + 1], p[i * 3 + 2])!.distance
      }),
    )
    note(
      `${shift} mm away, three-mesh-bvh`,
      time(() => {
        for (let i = 0; i < COUNT; i++) {
          point.set(p[i * 3] + shift, p[i * 3 + 1], p[i * 3 + 2])
          theirs[i] = bvh.closestPointToPoint(point, found)!.distance
        }
      }),
    )
    ours.forEach((distance, i) => (difference = Math.max(difference, Math.abs(distance - theirs[i]))))
  }
  note(
    `ICP, ${ITERATIONS} iterations, point to plane`,
    time(() => alignIcp(source, target, { iterations: ITERATIONS, tolerance: 0 })),
  )
}
const rows = Object.entries(best).map(([work, ms]) => ({ work, ms: Number(ms.toFixed(1)) }))
printTable(rows)
for (const shift of [0.2, 2, 8]) {
  const ratio = best[`${shift} mm away, ours`] / best[`${shift} mm away, three-mesh-bvh`]
  console.log(`${shift} mm away: ${ratio.toFixed(2)} of three-mesh-bvh's time`)
}
console.log(`largest difference of a distance: ${difference.toExponential(1)} mm (theirs is in float32)`)
await writeJson(values.json, rows)
