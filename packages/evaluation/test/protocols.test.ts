import { createRandom } from '@facekit/core'
import {
  checkPrediction,
  nonRigidIcp,
  nowErrors,
  nowRegion,
  realyErrors,
  realyRegions,
  scoreCase,
} from '@facekit/evaluation'
import { applySimilarity3d, type Surface } from '@facekit/mesh'
import { describe, expect, test } from 'vitest'
import { nearestByForce } from './brute-force.js'
import { motion, moved, pointsAt, relief, sevenOf } from './surfaces.js'

const face = relief(41)

describe('NoW', () => {
  test('value: the region, by hand', () => {
    // Eyes 60 and 20 apart at a height of 40 over the nose's bottom.
    const { center, radius } = nowRegion([
      -30, 40, 0, -10, 40, 0, 10, 40, 0, 30, 40, 0, 0, 0, 0, -20, -30, 0, 20, -30, 0,
    ])
    expect(center).toEqual([0, 12, 0])
    expect(radius).toBeCloseTo(0.7 * (60 + 40), 12)
  })

  test('value: a face of the right shape scores 0 in any unit and place; a wrong one what its distances are', () => {
    const elsewhere = motion([1.2, 0.4, -0.8], 0.001, [3, 2, 1])
    const landmarks = sevenOf(face)
    const perfect = nowErrors({
      scan: face,
      scanLandmarks: landmarks,
      prediction: moved(face, elsewhere),
      predictionLandmarks: applySimilarity3d(elsewhere, landmarks),
    })
    expect(perfect.summary.most).toBeLessThan(1e-6)
    const other = relief(33, { bumps: 2.5 })
    const { distances, summary, similarity, vertices } = nowErrors({
      scan: face,
      scanLandmarks: landmarks,
      prediction: other,
      predictionLandmarks: sevenOf(other),
    })
    const some = Array.from({ length: 40 }, (_, i) => Math.floor((i * vertices.length) / 40))
    const points = some.flatMap((i) => [0, 1, 2].map((c) => face.positions[vertices[i] * 3 + c]))
    nearestByForce(points, moved(other, similarity)).forEach(({ distance }, i) =>
      expect(distances[some[i]]).toBeCloseTo(distance, 8),
    )
    // The least squares of these distances: no similarity nearby does better.
    const cost = (s: typeof similarity) =>
      nearestByForce(points, moved(other, s)).reduce((sum, { distance }) => sum + distance ** 2, 0)
    expect(summary.mean).toBeGreaterThan(0.2)
    expect(cost(motion([0, 0, 0], 1, [0, 0, 0]))).toBeGreaterThan(cost(similarity))
  })

  test('value: the metric variant keeps the size', () => {
    const large = moved(face, motion([0, 0, 0], 1.05, [0, 0, 0]))
    const input = {
      scan: face,
      scanLandmarks: sevenOf(face),
      prediction: large,
      predictionLandmarks: applySimilarity3d(motion([0, 0, 0], 1.05, [0, 0, 0]), sevenOf(face)),
    }
    expect(nowErrors(input).summary.mean).toBeLessThan(1e-3)
    const metric = nowErrors({ ...input, metric: true })
    expect(metric.similarity.scale).toBeCloseTo(1, 12)
    expect(metric.summary.mean).toBeGreaterThan(0.2)
  })

  test('throws: mirrored predictions, and landmarks beside the scan', () => {
    const landmarks = sevenOf(face)
    const mirror = (points: ArrayLike<number>) => Float64Array.from(points, (v, i) => (i % 3 === 2 ? -v : v))
    expect(() =>
      nowErrors({
        scan: face,
        scanLandmarks: landmarks,
        prediction: { ...face, positions: mirror(face.positions) },
        predictionLandmarks: mirror(landmarks),
      }),
    ).toThrow('mirrored')
    const metres = landmarks.map((value) => value / 1000)
    expect(() =>
      nowErrors({ scan: face, scanLandmarks: metres, prediction: face, predictionLandmarks: landmarks }),
    ).toThrow(/0 vertices of the scan .* unit/)
  })
})

/** One step of the normal equations, dense, by Gaussian elimination. */
function denseStep(surface: Surface, points: ArrayLike<number>, stiffness: number): Float64Array {
  const count = surface.positions.length / 3
  const at = (list: ArrayLike<number>, i: number) => [list[i * 3], list[i * 3 + 1], list[i * 3 + 2]]
  const nearest = Array.from({ length: count }, (_, v) => {
    const distances = Array.from({ length: points.length / 3 }, (__, p) =>
      Math.hypot(...at(points, p).map((value, c) => value - surface.positions[v * 3 + c])),
    )
    const least = Math.min(...distances)
    return { goal: at(points, distances.indexOf(least)), distance: least }
  })
  const limit = Math.max((2 * nearest.reduce((sum, { distance }) => sum + distance, 0)) / count, 1)
  const size = 4 * count
  const rows = Array.from({ length: size }, () => new Float64Array(size + 3))
  for (let v = 0; v < count; v++) {
    if (nearest[v].distance >= limit) continue
    const p = [...at(surface.positions, v), 1]
    for (let r = 0; r < 4; r++) {
      for (let c = 0; c < 4; c++) rows[4 * v + r][4 * v + c] += p[r] * p[c]
      for (let c = 0; c < 3; c++) rows[4 * v + r][size + c] += p[r] * nearest[v].goal[c]
    }
  }
  const seen = new Set<string>()
  for (let t = 0; t < surface.triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [surface.triangles[t + k], surface.triangles[t + ((k + 1) % 3)]].sort((x, y) => x - y)
      if (seen.has(`${a} ${b}`)) continue
      seen.add(`${a} ${b}`)
      for (let r = 0; r < 4; r++) {
        rows[4 * a + r][4 * a + r] += stiffness ** 2
        rows[4 * b + r][4 * b + r] += stiffness ** 2
        rows[4 * a + r][4 * b + r] -= stiffness ** 2
        rows[4 * b + r][4 * a + r] -= stiffness ** 2
      }
    }
  }
  for (let i = 0; i < size; i++) {
    const pivot = rows
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + k : best), i)
    ;[rows[i], rows[pivot]] = [rows[pivot], rows[i]]
    for (let k = 0; k < size; k++) {
      if (k === i) continue
      const factor = rows[k][i] / rows[i][i]
      for (let c = i; c < size + 3; c++) rows[k][c] -= factor * rows[i][c]
    }
  }
  return Float64Array.from({ length: count * 3 }, (_, i) => {
    const [v, c] = [Math.floor(i / 3), i % 3]
    const p = [...at(surface.positions, v), 1]
    return p.reduce(
      (sum, value, r) => sum + (value * rows[4 * v + r][size + c]) / rows[4 * v + r][4 * v + r],
      0,
    )
  })
}

describe('non-rigid ICP', () => {
  test('value: a step as a dense solution gives it', () => {
    const small = relief(6)
    const random = createRandom(4)
    const points = Float64Array.from(small.positions, (value) => value + random.normal(0, 3))
    const found = nonRigidIcp(small, points, { stiffness: [20], tolerances: [0], steps: 1 })
    const dense = denseStep(small, points, 20)
    found.forEach((value, i) => expect(value).toBeCloseTo(dense[i], 5))
  })

  test('value: keypoints are followed', () => {
    const small = relief(9)
    const goal = [small.positions[120], small.positions[121], small.positions[122] + 8]
    const free = nonRigidIcp(small, small.positions, { stiffness: [1], tolerances: [0.01], steps: 11 })
    const held = nonRigidIcp(small, small.positions, {
      stiffness: [1],
      tolerances: [0.01],
      steps: 11,
      keypoints: { vertices: [40], goals: goal, weight: () => 50, firstStiffness: 3 },
    })
    expect(Math.abs(free[122] - small.positions[122])).toBeLessThan(1e-3)
    expect(held[122]).toBeCloseTo(goal[2], 1)
  })
})

describe('REALY', () => {
  // 85 keypoints, each in the region that it holds; the seven are where they are on a face.
  const middles = {
    nose: [0, 0, 24],
    mouth: [0, -50, 28],
    forehead: [0, 45, 50],
    cheek: [45, -10, 22],
  } as const
  const random = createRandom(6)
  const near = (region: keyof typeof middles): [number, number] => {
    const [x, y, radius] = middles[region]
    return [x + radius * random.uniform(-0.6, 0.6), y + radius * random.uniform(-0.6, 0.6)]
  }
  const places = Array.from({ length: 85 }, (_, k) =>
    near(
      k < 17
        ? 'cheek'
        : k < 27
          ? 'forehead'
          : k < 36
            ? 'nose'
            : k < 48
              ? 'forehead'
              : k < 68
                ? 'mouth'
                : 'nose',
    ),
  )
  ;[36, 39, 42, 45, 33, 48, 54].forEach((k, i) => {
    places[k] = [
      [-45, 32],
      [-17, 32],
      [17, 32],
      [45, 32],
      [0, -20],
      [-24, -45],
      [24, -45],
    ][i] as [number, number]
  })
  const regionsOf = (surface: Surface) =>
    Object.fromEntries(
      realyRegions.map((region) => {
        const inside = (v: number) =>
          Math.hypot(
            surface.positions[v * 3] - middles[region][0],
            surface.positions[v * 3 + 1] - middles[region][1],
          ) < middles[region][2]
        const kept = new Map<number, number>()
        const triangles: number[] = []
        for (let t = 0; t < surface.triangles.length; t += 3) {
          const corners = [...surface.triangles.subarray(t, t + 3)]
          if (!corners.every(inside)) continue
          for (const corner of corners) {
            if (!kept.has(corner)) kept.set(corner, kept.size)
            triangles.push(kept.get(corner)!)
          }
        }
        const positions = [...kept.keys()].flatMap((v) => [0, 1, 2].map((c) => surface.positions[v * 3 + c]))
        return [region, { positions, triangles: Int32Array.from(triangles) }]
      }),
    )

  test('value: 0 for the right shape, in millimetres for a wrong one, without keypoints that a model lacks', () => {
    const elsewhere = motion([0.5, 0.3, 0.2], 7, [1, 2, 3])
    const keypoints = pointsAt(face, places)
    const scores = (prediction: Surface, predictionKeypoints: Float64Array, millimetres: number) =>
      realyErrors({ regions: regionsOf(face), keypoints, prediction, predictionKeypoints, millimetres })
    const perfect = scores(moved(face, elsewhere), applySimilarity3d(elsewhere, keypoints), 1)
    for (const region of realyRegions) expect(perfect[region]!.error).toBeLessThan(0.05)
    const other = relief(41, { bumps: 3 })
    const lacking = pointsAt(other, places).fill(Number.NaN, 68 * 3)
    const [one, two] = [scores(other, lacking, 1), scores(other, lacking, 2)]
    for (const region of realyRegions) {
      expect(one[region]!.error).toBeGreaterThan(0.1)
      expect(two[region]!.error).toBeCloseTo(2 * one[region]!.error, 9)
    }
  })

  test('value: the 85 keypoints are landmarks of a mesh like others; with 68 the rest is left out, and said', () => {
    const keypoints = pointsAt(face, places)
    const surface = relief(41, { bumps: 3 })
    const own = pointsAt(surface, places)
    const { nose, forehead } = regionsOf(face)
    const truth = { realy: { regions: { nose, forehead }, keypoints, millimetres: 1 } }
    const score = (count: number) =>
      scoreCase('realy', truth, {
        surface,
        landmarks: {
          which: Array.from({ length: count }, (_, i) => i),
          positions: own.slice(0, 3 * count),
        },
      })
    const [all, few] = [score(85), score(68)]
    const expected = realyErrors({ ...truth.realy, prediction: surface, predictionKeypoints: own })
    expect(all.scores.realyNose).toBe(expected.nose!.error)
    expect(all.hints).toEqual([])
    // Two of the nose's keypoints are among the last 17.
    expect(few.scores.realyNose).not.toBe(all.scores.realyNose)
    expect(few.scores.realyForehead).toBe(all.scores.realyForehead)
    expect(few.hints).toEqual(["REALY's last 17 keypoints: 17 are not known and are left out"])
  })
})

describe('checkPrediction', () => {
  const messages = (input: Parameters<typeof checkPrediction>[0]) =>
    checkPrediction(input).map(({ fatal, message }) => `${fatal ? 'error' : 'hint'}: ${message}`)
  const truthLandmarks = sevenOf(face)

  test('value: nothing to say about a sound one', () => {
    expect(messages({ prediction: face, landmarks: truthLandmarks, truthLandmarks })).toEqual([])
  })

  test('value: numbers, triangles, topology, unit and axes, each with what to do', () => {
    const broken = Float64Array.from(face.positions).fill(Number.NaN, 30, 31)
    expect(messages({ prediction: { ...face, positions: broken } })[0]).toMatch(
      /^error: vertex 10 is not finite/,
    )
    expect(messages({ prediction: { ...face, triangles: new Int32Array(0) } })[0]).toMatch(
      /^error: has no triangles/,
    )
    expect(messages({ prediction: { ...face, triangles: Int32Array.of(0, 1, 9999) } })[0]).toMatch(
      /names vertex 9999/,
    )
    expect(messages({ prediction: face, others: { vertices: 7, triangles: 4 } })[0]).toMatch(
      /^hint: .*same topology/,
    )
    const placed = (place: ReturnType<typeof motion>) =>
      messages({
        prediction: moved(face, place),
        landmarks: applySimilarity3d(place, truthLandmarks),
        truthLandmarks,
      })
    expect(placed(motion([0, 0, 0], 0.001, [0, 0, 0]))).toEqual([
      'hint: is 1000 times smaller than the truth: metres? multiply by 1000 for metric scores',
    ])
    expect(placed(motion([0, 0, 0], 3, [0, 0, 0]))[0]).toMatch(/is 3 times larger .* which no unit explains/)
    expect(placed(motion([Math.PI / 2, 0, 0], 1, [0, 0, 0]))[0]).toMatch(/along \+z, expected \+y/)
  })

  test('value: landmarks of another unit than the mesh; meshes without depth or size', () => {
    const metres = truthLandmarks.map((value) => value / 1000)
    expect(messages({ prediction: face, landmarks: metres, truthLandmarks })).toEqual([
      expect.stringMatching(/^error: has landmarks that lie off its surface/),
    ])
    const turned = motion([0.4, 0.7, 0.1], 1, [5, 6, 7])
    const flat = moved(
      { ...face, positions: Float64Array.from(face.positions, (v, i) => (i % 3 === 2 ? 0 : v)) },
      turned,
    )
    const spot = { ...face, positions: Float64Array.from(face.positions).fill(1) }
    for (const [prediction, words] of [
      [flat, 'is flat: its vertices lie in a plane'],
      [spot, 'has all vertices in one place'],
    ] as const)
      expect(messages({ prediction, landmarks: truthLandmarks, truthLandmarks })).toEqual([`error: ${words}`])
  })
})
