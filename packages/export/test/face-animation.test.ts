import { encodeGlb, encodeNpz } from '@facekit/export'
import { ShapeError, ValueError } from '@facekit/core'
import { unzipSync } from 'fflate'
import { validateBytes } from 'gltf-validator'
import { AnimationMixer, Mesh } from 'three'
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js'
import { describe, expect, it, vi } from 'vitest'
import { createDome } from './dome.js'

const { uv: _, ...dome } = createDome()
const size = dome.vertices.length
const targets = ['jawOpen', 'blink'].map((name, k) => ({
  name,
  offsets: Float32Array.from({ length: size }, (_, i) => (i % 5 === k ? 3 : 0)),
}))
const animation = {
  times: [0, 0.5, 1],
  weights: [0, 1, 0.5, 0, 1, 0.25],
  rotation: [0, 0, 0, 1, 0, Math.SQRT1_2, 0, Math.SQRT1_2, 0, 1, 0, 0],
  translation: [0, 0, 0, 100, 0, 0, 100, 0, -50],
  scale: [1, 1, 2],
}

describe('encodeGlb with an animation', () => {
  it('value: valid, and three.js plays it to its last key', async () => {
    const bytes = await encodeGlb(dome, { targets, animation })
    const { issues } = await validateBytes(bytes)
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
    const { scene, animations } = await new GLTFLoader().parseAsync(bytes.slice().buffer, '')
    const mixer = new AnimationMixer(scene)
    mixer.clipAction(animations[0]).play()
    const [node] = scene.children
    const influences = () => {
      let found: number[] = []
      scene.traverse((object) => {
        if (object instanceof Mesh) found = object.morphTargetInfluences!
      })
      return found
    }
    mixer.setTime(0.25)
    expect(influences()[0]).toBeCloseTo(0.25, 5)
    expect(influences()[1]).toBeCloseTo(0.5, 5)
    mixer.setTime(0.5)
    expect(node.position.x).toBeCloseTo(0.1, 6)
    expect(node.quaternion.y).toBeCloseTo(Math.SQRT1_2, 5)
    mixer.setTime(1 - 1e-6)
    expect(influences()[0]).toBeCloseTo(1, 4)
    expect(node.scale.x).toBeCloseTo(2, 4)
  })

  it('throws: times that do not rise, values that are too few or not finite', async () => {
    const times = { ...animation, times: [0, 0.5, 0.5] }
    await expect(encodeGlb(dome, { targets, animation: times })).rejects.toThrow(ValueError)
    const few = { ...animation, weights: [0, 1] }
    await expect(encodeGlb(dome, { targets, animation: few })).rejects.toThrow(ShapeError)
    const broken = { ...animation, scale: [1, Number.NaN, 1] }
    await expect(encodeGlb(dome, { targets, animation: broken })).rejects.toThrow(ValueError)
  })
})

describe('encodeNpz', () => {
  it('value: the same arrays give the same bytes, whenever', () => {
    const arrays = { a: { shape: [1], data: Float32Array.of(1) } }
    vi.useFakeTimers({ now: new Date(2024, 1, 2) })
    const before = encodeNpz(arrays)
    vi.setSystemTime(new Date(2026, 3, 4))
    expect(encodeNpz(arrays)).toEqual(before)
    vi.useRealTimers()
  })

  it("value: NumPy's header and the numbers behind it", () => {
    const files = unzipSync(encodeNpz({ a: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } }))
    const bytes = files['a.npy']
    expect(String.fromCharCode(...bytes.subarray(1, 6))).toBe('NUMPY')
    const start = 10 + bytes[8] + 256 * bytes[9]
    expect(start % 64).toBe(0)
    expect(String.fromCharCode(...bytes.subarray(10, start))).toContain(
      "'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
    )
    expect([...new Float32Array(bytes.slice(start).buffer)]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('throws: a shape of another size', () => {
    expect(() => encodeNpz({ a: { shape: [4], data: Float32Array.of(1) } })).toThrow(ShapeError)
  })
})
