import { findSamePerson } from '@facekit/annotate'
import { createRandom } from '@facekit/core'
import { describe, expect, it } from 'vitest'

const DIMENSIONS = 128
const random = createRandom(7)

function unit(values: Float32Array): Float32Array {
  const length = Math.hypot(...values)
  return values.map((value) => value / length)
}

/** People whose embeddings are about 1.4 apart. */
const people = Array.from({ length: 4 }, () =>
  unit(Float32Array.from({ length: DIMENSIONS }, () => random.normal())),
)
/** Pictures of one person are about 0.4 apart. */
const seen = (person: number) =>
  unit(people[person].map((value) => value + random.normal(0, 0.28 / Math.sqrt(DIMENSIONS))))

describe('findSamePerson', () => {
  it('value: who is in most pictures, among others, and in which not', () => {
    const pictures = [[1, 0], [0], [2], [], [3, 2, 0], [1]].map((list) => list.map(seen))
    const found = findSamePerson(pictures)
    expect(found.map(({ face }) => face)).toEqual([1, 0, undefined, undefined, 2, undefined])
    for (const i of [0, 1, 4]) expect(found[i].distance).toBeLessThan(0.5)
    expect(found[2].distance).toBeGreaterThan(1)
    expect(found[3].distance).toBe(Infinity)
  })

  it('value: of two faces that are alike in one picture the nearer one', () => {
    const [near, far] = [people[0], unit(people[0].map((value, k) => value + 0.5 * people[1][k]))]
    const found = findSamePerson([[seen(0)], [far, near], [seen(0)]])
    expect(found[1].face).toBe(1)
  })

  it('value: a stricter limit parts what a wider one takes for one person', () => {
    const pictures = [0, 0, 0].map((person) => [seen(person)])
    expect(findSamePerson(pictures).every(({ face }) => face === 0)).toBe(true)
    expect(findSamePerson(pictures, 0.05).filter(({ face }) => face === 0)).toHaveLength(1)
  })

  it('value: pictures without faces show nobody', () => {
    expect(findSamePerson([[], []])).toEqual([
      { face: undefined, distance: Infinity },
      { face: undefined, distance: Infinity },
    ])
  })
})
