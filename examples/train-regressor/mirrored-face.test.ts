import { mirroredLandmarks, type SimilarityTransform } from '@facekit/annotate'
import ndarray from 'ndarray'
import { describe, expect, it } from 'vitest'
import { mirroredFace } from './mirrored-face.js'
import { joinPhotographs, type Photographs } from './photograph-file.js'

function placed({ scale, rotation, translation }: SimilarityTransform, x: number, y: number) {
  const [cos, sin] = [scale * Math.cos(rotation), scale * Math.sin(rotation)]
  return [cos * x - sin * y + translation[0], sin * x + cos * y + translation[1]]
}

describe('mirroredFace', () => {
  it('value: what is mirrored twice is as before, and a mirrored point lies in the mirrored crop', () => {
    const landmarks = ndarray(
      Float32Array.from({ length: 136 }, (_, i) => (i * 37) % 224),
      [68, 2],
    )
    const picture = ndarray(
      Uint8Array.from({ length: 60 }, (_, i) => i),
      [4, 5, 3],
    )
    const transform = { scale: 1.3, rotation: 0.4, translation: [7, -5] as [number, number] }
    const image = ndarray(new Float32Array(0), [0, 0, 3])
    const alignment = { size: 224, image, transform, landmarks }
    const face = { picture, box: { x: 1, y: 2, width: 3, height: 2 }, alignment }
    const once = mirroredFace(face)
    expect(once.alignment.landmarks.get(0, 0)).toBe(224 - landmarks.get(mirroredLandmarks[0], 0))
    expect(once.picture.get(1, 0, 2)).toBe(picture.get(1, 4, 2))
    expect(once.box.x).toBe(1)
    const twice = mirroredFace(once)
    expect(twice.alignment.transform.translation[0]).toBeCloseTo(7, 10)
    expect(twice.alignment.transform.translation[1]).toBeCloseTo(-5, 10)
    expect(twice.alignment.landmarks.data).toEqual(landmarks.data)
    const [x, y] = placed(transform, 1.5, 2.5)
    const [u, v] = placed(once.alignment.transform, 5 - 1.5, 2.5)
    expect(u).toBeCloseTo(224 - x, 10)
    expect(v).toBeCloseTo(y, 10)
  })
})

describe('joinPhotographs', () => {
  it('value: the rows of one set follow those of the other', () => {
    const set = (count: number, from: number): Photographs => {
      const bytes = (numbers: number) => Uint8Array.from({ length: count * numbers }, (_, i) => from + i)
      const floats = (numbers: number) => Float32Array.from({ length: count * numbers }, (_, i) => from + i)
      return {
        count,
        size: 2,
        model: 'm',
        people: Array.from({ length: count }, (_, i) => `person ${from + i}`),
        heldOut: bytes(1),
        pictures: bytes(12),
        masks: bytes(12),
        landmarks: floats(2 * 136),
        identity: floats(2 * 3),
        expression: floats(2 * 2),
        pose: floats(2 * 7),
      }
    }
    const [a, b] = [set(2, 0), set(1, 50)]
    const joined = joinPhotographs([a, b])
    expect(joined.count).toBe(3)
    expect(joined.people).toEqual(['person 0', 'person 1', 'person 50'])
    for (const part of [
      'heldOut',
      'pictures',
      'masks',
      'landmarks',
      'identity',
      'expression',
      'pose',
    ] as const)
      expect([...joined[part]]).toEqual([...a[part], ...b[part]])
  })
})
