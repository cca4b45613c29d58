import { completeHead, loadBaseModel, loadHeadModel, type HeadCompletion } from '@facekit/base-model'
import { createRandom, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { boundaryLoops, normalsOf } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'
import { describe, expect, it } from 'vitest'

const somebody = (model: MorphableModel, seed: number): Float32Array => {
  const random = createRandom(seed)
  const face = Float32Array.from(model.shape.mean.data)
  for (let k = 0; k < model.layout.identity; k++) {
    const amount = random.normal()
    for (let i = 0; i < face.length; i++) face[i] += amount * model.shape.identity.data[k * face.length + i]
  }
  return face
}

/** The rest's triangles over the vertices of the face, those beyond its rim behind them. */
const joined = (completion: HeadCompletion, count: number) =>
  completion.triangles.map((v) =>
    v < completion.rim.length ? completion.rim[v] : v - completion.rim.length + count,
  )

describe('completeHead', () => {
  it('value: closed but for the openings of the face', async () => {
    const [model, head] = await Promise.all([loadBaseModel(), loadHeadModel()])
    const completion = completeHead(head, model, model.shape.mean.data)
    const of = (triangles: Int32Array) =>
      boundaryLoops(triangles)
        .map((loop) => loop.length)
        .toSorted((a, b) => a - b)
    const alone = of(model.triangles)
    expect(alone.at(-1)).toBe(completion.rim.length)
    const whole = Int32Array.from([...model.triangles, ...joined(completion, model.vertexCount)])
    expect(of(whole)).toEqual(alone.slice(0, -1))
  })

  it('value: of anybody position and slope go on at the rim, and the head has the size of a head', async () => {
    const [model, head] = await Promise.all([loadBaseModel(), loadHeadModel()])
    for (const seed of [1, 2, 3]) {
      const face = somebody(model, seed)
      const completion = completeHead(head, model, face)
      const rest = joined(completion, model.vertexCount)
      const positions = Float64Array.from([...face, ...completion.vertices])
      const [before, behind] = [normalsOf(positions, model.triangles), normalsOf(positions, rest)]
      const angles = Array.from(completion.rim, (v) => {
        const cosine = [0, 1, 2].reduce((sum, c) => sum + before[3 * v + c] * behind[3 * v + c], 0)
        return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI
      })
      // One-sided normals of a curved surface differ by its bend over a triangle.
      expect(angles.reduce((sum, angle) => sum + angle, 0) / angles.length).toBeLessThan(10)
      expect(Math.max(...angles)).toBeLessThan(35)
      const extent = (axis: number) => {
        const values = positions.filter((_, i) => i % 3 === axis)
        return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b))
      }
      expect(extent(2)).toBeGreaterThan(170)
      expect(extent(2)).toBeLessThan(260)
      expect(extent(0)).toBeGreaterThan(140)
      expect(extent(0)).toBeLessThan(230)
    }
  })

  it('value: turned, grown and moved, it is the same head', async () => {
    const [model, head] = await Promise.all([loadBaseModel(), loadHeadModel()])
    const face = somebody(model, 4)
    const [cos, sin] = [Math.cos(0.4), Math.sin(0.4)]
    const move = (points: Float32Array) => {
      const moved = new Float32Array(points.length)
      for (let i = 0; i < points.length; i += 3) {
        moved[i] = 1.2 * (cos * points[i] + sin * points[i + 2]) + 5
        moved[i + 1] = 1.2 * points[i + 1] - 8
        moved[i + 2] = 1.2 * (cos * points[i + 2] - sin * points[i])
      }
      return moved
    }
    const expected = move(completeHead(head, model, face).vertices)
    const found = completeHead(head, model, move(face)).vertices
    const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0)
    expect(worst).toBeLessThan(0.02)
  })

  it('value: movements and colours go on from the rim and fade', async () => {
    const [model, head] = await Promise.all([loadBaseModel(), loadHeadModel()])
    const { follow, spread, triangles, rim, vertices } = completeHead(head, model, model.shape.mean.data)
    const offsets = new Float32Array(3 * model.vertexCount)
    for (let v = 0; v < model.vertexCount; v++) offsets[3 * v + 1] = 4
    const moved = follow(offsets)
    const color = new Float32Array(3 * rim.length).fill(0.2)
    const colors = spread(color, [0.6, 0.6, 0.6])
    const next = new Set<number>()
    for (let t = 0; t < triangles.length; t += 3)
      for (let k = 0; k < 3; k++)
        if (triangles[t + k] < rim.length && triangles[t + ((k + 1) % 3)] >= rim.length)
          next.add(triangles[t + ((k + 1) % 3)] - rim.length)
    for (const v of next) {
      expect(Math.abs(moved[3 * v + 1] - 4)).toBeLessThan(0.6)
      expect(colors[3 * v]).toBeLessThan(0.35)
    }
    const back = Array.from({ length: vertices.length / 3 }, (_, v) => v).reduce((a, b) =>
      vertices[3 * a + 2] < vertices[3 * b + 2] ? a : b,
    )
    expect(Math.abs(moved[3 * back + 1])).toBeLessThan(2)
    expect(colors[3 * back]).toBeGreaterThan(0.45)
    expect(colors.every((value) => value >= 0.2 - 1e-6 && value <= 0.6 + 1e-6)).toBe(true)
  })

  it('value: the mouth is sewn to the lips, teeth are behind them, and the lower ones go with the jaw', async () => {
    const [model, head] = await Promise.all([loadBaseModel(), loadHeadModel()])
    const names = model.shape.expressionNames!
    const size = 3 * model.vertexCount
    const jawOpen = Float32Array.from({ length: size }, (_, i) =>
      Number(model.shape.expression.data[names.indexOf('jawOpen') * size + i]),
    )
    for (const seed of [1, 2, 3]) {
      const face = somebody(model, seed)
      const { mouth } = completeHead(head, model, face)
      const { lips, ends, jaw, triangles, motionNames } = mouth.model
      const edge = new Set(lips)
      expect(boundaryLoops(model.triangles).some((loop) => loop.every((v) => edge.has(v)))).toBe(true)
      const socket = triangles.filter((_, i) => triangles[i - (i % 3)] < ends[0])
      const [border, ...others] = boundaryLoops(socket)
      expect(others).toHaveLength(0)
      expect([...border].toSorted((a, b) => a - b)).toEqual(Array.from(lips, (_, i) => i))
      const at = (v: number) => [...mouth.vertices.subarray(3 * v, 3 * v + 3)]
      lips.forEach((lip, i) => {
        for (let c = 0; c < 3; c++) expect(at(i)[c]).toBeCloseTo(face[3 * lip + c], 3)
      })
      const list = Array.from({ length: ends[3] - ends[2] }, (_, i) => ends[2] + i)
      const teeth = list.map(at)
      const front = Math.max(...teeth.map(([, , z]) => z))
      const lipsFront = Math.max(...Array.from(lips, (v) => face[3 * v + 2]))
      expect(lipsFront - front).toBeGreaterThan(1)
      expect(lipsFront - front).toBeLessThan(14)
      const width = Math.max(...teeth.map(([x]) => x)) - Math.min(...teeth.map(([x]) => x))
      expect(width).toBeGreaterThan(50)
      expect(width).toBeLessThan(85)
      // 28 teeth, open where they are in the gum; upper incisors overlap lower ones, and end where a smile shows them.
      expect(boundaryLoops(triangles.filter((_, i) => triangles[i - (i % 3)] >= ends[2]))).toHaveLength(28)
      const [upper, lower] = [0, 1].map((side) => list.filter((v) => jaw[v] === side).map(at))
      const foremost = (points: number[][]) => Math.max(...points.map(([, , z]) => z))
      expect(foremost(upper) - foremost(lower)).toBeGreaterThan(1)
      expect(foremost(upper) - foremost(lower)).toBeLessThan(4)
      const middle = upper.filter(([x, , z]) => Math.abs(x) < 6 && foremost(upper) - z < 4)
      const below = face[3 * model.landmarks[62] + 1] - Math.min(...middle.map(([, y]) => y))
      expect(below).toBeGreaterThan(0)
      expect(below).toBeLessThan(5)
      // Open: lower teeth go down with the chin, upper ones stay; the edge stays on the lips.
      const moved = mouth.follow(
        jawOpen,
        motionNames.map((name) => Number(name === 'jawOpen')),
      )
      const chin = jawOpen[3 * model.landmarks[8] + 1]
      const incisors = list.filter((v) => front - at(v)[2] < 6)
      for (const v of incisors)
        expect(Math.abs(moved[3 * v + 1] - (jaw[v] > 0.5 ? chin : 0))).toBeLessThan(jaw[v] > 0.5 ? 8 : 0.1)
      lips.forEach((lip, i) => expect(moved[3 * i + 1]).toBeCloseTo(jawOpen[3 * lip + 1], 4))
      // A tongue that is put out ends before the lips, and nothing else has moved.
      const out = mouth.follow(
        new Float32Array(size),
        motionNames.map((name) => Number(name === 'tongueOut')),
      )
      const tip = Array.from({ length: ends[2] - ends[1] }, (_, i) => ends[1] + i).reduce((a, b) =>
        at(a)[2] > at(b)[2] ? a : b,
      )
      expect(at(tip)[2]).toBeLessThan(front)
      expect(at(tip)[2] + out[3 * tip + 2]).toBeGreaterThan(lipsFront + 5)
      for (const v of list) expect([...out.subarray(3 * v, 3 * v + 3)]).toEqual([0, 0, 0])
    }
  })

  it('throws: another model, another number of vertices, a file of another kind', async () => {
    const [model, head] = await Promise.all([loadBaseModel(), loadHeadModel()])
    const narrow = { ...model, triangles: model.triangles.slice(300) }
    expect(() => completeHead(head, narrow, narrow.shape.mean.data)).toThrow(ValueError)
    expect(() => completeHead(head, model, new Float32Array(3))).toThrow(ShapeError)
    await expect(loadHeadModel({ source: new Uint8Array(20) })).rejects.toThrow(ModelFormatError)
  })
})
