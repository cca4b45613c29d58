import {
  comparableFaces,
  curvesSvg,
  drawErrorMap,
  errorColor,
  errorCurves,
  errorMapGlb,
  evaluationHtml,
  evaluationMarkdown,
  type EvaluationResults,
  isComplete,
  missingLines,
  type Prediction,
  scoreCase,
  scoreTables,
  tablesCsv,
} from '@facekit/evaluation'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { motion, moved, pointsAt, relief, sevenOf } from './surfaces.js'
import { applySimilarity3d } from '@facekit/mesh'

const seven = [36, 39, 42, 45, 33, 48, 54]
const scan = relief(61)
const truth = { scan, landmarks: { which: seven, positions: sevenOf(scan) } }
const prediction = (surface = scan, positions = sevenOf(scan)): Prediction => ({
  surface,
  landmarks: { which: seven, positions },
})

describe('scoreCase', () => {
  test('value: a surface is 0 where it is right, in any place and unit; the map lies in the space of the prediction', () => {
    const place = motion([0.4, -0.3, 0.2], 0.1, [5, 6, 7])
    const { scores, quantiles, points, hints, map } = scoreCase(
      'surface',
      truth,
      prediction(moved(scan, place), applySimilarity3d(place, sevenOf(scan))),
    )
    for (const name of ['pointToPlane', 'pointToSurface', 'landmarks', 'correspondence', 'chamfer'] as const)
      expect(scores[name]).toBeLessThan(1e-3)
    expect(quantiles).toHaveLength(201)
    expect(points).toBeGreaterThan(1000)
    expect(hints).toEqual([expect.stringMatching(/centimetres/)])
    const [x] = map!.surface.positions as Float64Array
    expect(Math.abs(x)).toBeLessThan(30)
  })

  test('value: without landmarks nose on nose, and it says so', () => {
    const { scores, hints } = scoreCase(
      'surface',
      { scan },
      { surface: moved(scan, motion([0, 0, 0], 1, [20, 10, 5])) },
    )
    expect(scores.pointToPlane).toBeLessThan(0.05)
    expect(scores.landmarks).toBeUndefined()
    expect(hints.join()).toMatch(/nose on nose/)
  })

  test('value: landmarks in the picture, the inner mouth and colours', () => {
    const positions = pointsAt(
      scan,
      Array.from({ length: 68 }, (_, i) => [-40 + i, 30 - ((i * 7) % 60)] as const),
    )
    const picture = Float64Array.from({ length: 136 }, (_, i) => positions[(i >> 1) * 3 + (i & 1)])
    const which = Array.from({ length: 68 }, (_, i) => i)
    const off = positions.map((value, i) => (i >= 180 && i % 3 === 1 ? value - 5 : value))
    const { scores } = scoreCase(
      'mouth',
      { pictureLandmarks: picture, landmarks: { which, positions } },
      {
        landmarks: { which, positions: off },
        pictureLandmarks: picture.map((value) => value + 1),
        color: 0.1,
      },
    )
    expect(scores.innerMouth).toBeGreaterThan(2)
    expect(scores.nmeBox).toBeGreaterThan(1)
    expect(scores.color).toBe(0.1)
  })

  test('value: NoW by its own protocol', () => {
    const { scores } = scoreCase('now', truth, prediction())
    expect(scores.nowMean).toBeLessThan(1e-6)
    expect(scores.pointToPlane).toBeUndefined()
  })

  test('throws: in one line, what cannot be scored', () => {
    const mirror = (points: ArrayLike<number>) => Float64Array.from(points, (v, i) => (i % 3 === 2 ? -v : v))
    const mirrored = prediction({ ...scan, positions: mirror(scan.positions) }, mirror(sevenOf(scan)))
    expect(() => scoreCase('surface', truth, mirrored)).toThrow('mirrored')
    const shuffled = sevenOf(scan)
    shuffled.set(shuffled.slice(0, 9), 12)
    expect(() => scoreCase('surface', truth, prediction(scan, shuffled))).toThrow('in the same order?')
    expect(() => scoreCase('now', truth, prediction(scan, shuffled))).toThrow('in the same order?')
    const inwards = prediction({ ...scan, triangles: scan.triangles.toReversed() })
    expect(() => scoreCase('surface', truth, inwards)).toThrow(/face inwards, or it is mirrored/)
    const flipped = { ...scan, positions: Float64Array.from(scan.positions, (v, i) => (i % 3 ? v : -v)) }
    expect(() => scoreCase('surface', { scan }, { surface: flipped })).toThrow(
      /face inwards, or it is mirrored/,
    )
    const broken = prediction({
      ...scan,
      positions: Float64Array.from(scan.positions).fill(Number.NaN, 0, 1),
    })
    expect(() => scoreCase('surface', truth, broken)).toThrow('the mesh vertex 0 is not finite')
    expect(() => scoreCase('now', truth, { surface: scan })).toThrow('seven landmarks are not known')
    expect(() => scoreCase('picture', {}, {})).toThrow('nothing to compare')
  })

  test('throws: a truth in another unit, or with landmarks that are not its own', () => {
    const scaled = (factor: number, points: Float64Array) => points.map((value) => value * factor)
    const positions = scan.positions as Float64Array
    const withScan = (factor: number) => ({ ...scan, positions: scaled(factor, positions) })
    const withBoth = (factor: number) => ({
      scan: withScan(factor),
      landmarks: { which: seven, positions: scaled(factor, sevenOf(scan)) },
    })
    for (const [factor, words] of [
      [0.001, /eyes are 0\.0\d+ apart.*metres\? multiply scan and landmarks by 1000/],
      [0.1, /centimetres\? multiply scan and landmarks by 10$/],
      [1000, /micrometres\? multiply/],
      [50, /apart, expected about 90 mm$/],
    ] as const) {
      expect(() => scoreCase('surface', withBoth(factor), prediction())).toThrow(words)
      expect(() => scoreCase('now', withBoth(factor), prediction())).toThrow(words)
    }
    expect(() => scoreCase('surface', { scan: withScan(0.001) }, { surface: scan })).toThrow(
      /the scan is 0\.17 large.*metres\?/,
    )
    expect(() => scoreCase('surface', { ...truth, scan: withScan(0.1) }, prediction())).toThrow(
      /half of the truth's landmarks lie more than \d+ mm off the scan/,
    )
    // One of the seven that is misplaced, and a nose that the scanner missed, do not hinder.
    const off = { which: seven, positions: sevenOf(scan).map((v, i) => (i === 20 ? v + 30 : v)) }
    expect(scoreCase('surface', { scan, landmarks: off }, prediction()).scores.pointToPlane).toBeLessThan(1)
  })
})

const evaluation: EvaluationResults = {
  dataset: 'micc',
  groups: ['indoor', 'outdoor'],
  methods: ['fit', 'mean <face>'],
  cases: 3,
  problems: ['subject_04: has no scan'],
  results: [
    {
      id: 'a',
      group: 'indoor',
      method: 'fit',
      scores: { pointToPlane: 1 },
      quantiles: [0, 1, 2],
      points: 30,
      problems: [],
    },
    { id: 'b', group: 'indoor', method: 'fit', scores: { pointToPlane: 2 }, problems: ['odd'] },
    { id: 'c', group: 'outdoor', method: 'fit', problems: ['no face'] },
    { id: 'a', group: 'indoor', method: 'mean <face>', scores: { pointToPlane: 3 }, problems: [] },
  ],
}

describe('report', () => {
  test('value: tables with mean, deviation, all, and gaps', () => {
    const [table, ...others] = scoreTables(evaluation)
    expect(others).toEqual([])
    expect(table.columns).toEqual(['indoor', 'outdoor', 'all'])
    expect(table.rows[0].cells).toEqual([
      { mean: 1.5, deviation: 0.5, faces: 2 },
      undefined,
      { mean: 1.5, deviation: 0.5, faces: 2 },
    ])
    const text = evaluationMarkdown(evaluation)
    expect(text).toContain('| fit | **1.50 ± 0.50** | – | **1.50 ± 0.50** | 2 |')
    expect(text).toContain('- fit: 2 of 3 faces were scored')
    expect(tablesCsv([table]).split('\n')[1]).toBe('pointToPlane,mm,fit,indoor,1.5,0.5,2')
    expect(missingLines(evaluation)).toEqual([
      'subject_04: has no scan',
      'fit: 2 of 3 faces were scored',
      'mean <face>: 1 of 3 faces were scored',
      'b, fit: odd',
      'c, fit: no face',
    ])
  })

  test('value: methods that scored different faces are compared once more over those that all have', () => {
    const common = comparableFaces(evaluation)!
    expect([common.cases, common.groups, common.methods]).toEqual([1, ['indoor'], ['fit', 'mean <face>']])
    const [table] = scoreTables(common)
    expect(table.rows.map(({ cells }) => cells[0]?.mean)).toEqual([1, 3])
    const text = evaluationMarkdown(evaluation)
    expect(text).toContain('## Only the 1 face that every method scored')
    expect(text).toContain('| fit | **1.00 ± 0.00** | 1 |')
    expect(evaluationHtml(evaluation, [])).toContain('Only the 1 face that every method scored')
    // The same faces, no face in common, and a method without any.
    expect(comparableFaces(common)).toBeUndefined()
    expect(evaluationMarkdown(common)).not.toContain('Only the')
    const apart = evaluation.results.filter(({ id, method }) => id !== 'a' || method !== 'fit')
    expect(comparableFaces({ ...evaluation, results: apart })).toBeUndefined()
    expect(comparableFaces({ ...common, methods: [...common.methods, 'none'] })).toBeUndefined()
    expect([common, evaluation, { ...common, methods: ['none'] }].map(isComplete)).toEqual([
      true,
      false,
      false,
    ])
  })

  test('value: a page that is sound HTML, and curves', () => {
    const page = evaluationHtml(evaluation, [{ path: 'maps/a "x".png', caption: 'a' }])
    expect(page).toContain('mean &lt;face&gt;')
    expect(page).not.toContain('mean <face>')
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src 'none';/)
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
    expect(page).toContain('maps/a &quot;x&quot;.png')
    const [curves] = errorCurves(evaluation)
    expect(curves.limit).toBe(7)
    expect(curves.curves[0].curve.shares.at(-1)).toBe(1)
    expect(curves.curves[0].curve.area).toBeCloseTo((1 + 6 / 7 + 5 / 7) / 3, 9)
    expect(curvesSvg(curves)).toMatch(/^<svg .*area 0\.857.*<\/svg>$/)
  })

  describe('maps', () => {
    beforeAll(() => useBackend('cpu'))
    const map = {
      surface: relief(21),
      errors: Float64Array.from({ length: 441 }, (_, i) => (i === 5 ? Number.NaN : i / 80)),
    }

    test('value: colours from blue to red, grey for what was not compared', () => {
      expect(errorColor(0, 5)[2]).toBeGreaterThan(errorColor(0, 5)[0])
      expect(errorColor(9, 5)[0]).toBeGreaterThan(errorColor(9, 5)[2])
      expect(new Set(errorColor(Number.NaN, 5)).size).toBe(1)
    })

    test('value: a picture with the face and its scale; a GLB with a colour at each vertex', async () => {
      const picture = await drawErrorMap(map, { size: 96 })
      const [height, width] = picture.shape
      expect(width).toBeGreaterThan(96 + 60)
      expect(height).toBeGreaterThanOrEqual(96)
      // Small errors to the left are blue, large ones to the right red.
      const at = (x: number) => [0, 1, 2].map((c) => picture.get(height >> 1, x, c))
      expect(at(25)[2]).toBeGreaterThan(at(25)[0])
      expect(at(75)[0]).toBeGreaterThan(at(75)[2])
      // The scale's upper end is red.
      expect(picture.get(34, 112, 0)).toBeGreaterThan(picture.get(34, 112, 2))
      const glb = await errorMapGlb(map)
      expect(new TextDecoder().decode(glb.subarray(0, 4))).toBe('glTF')
      expect(new TextDecoder().decode(glb)).toContain('COLOR_0')
      await expect(drawErrorMap({ ...map, errors: [1] })).rejects.toThrow('1 errors for 441 vertices')
    })
  })
})
