import { ShapeError, ValueError } from '@facekit/core'
import {
  bakeFaceTextures,
  encodeGlb,
  encodeShading,
  faceCapture,
  SHADING_RANGE,
  shadingFactor,
  type FaceCapture,
  type PhotographedFace,
} from '@facekit/export'
import { WebIO } from '@gltf-transform/core'
import { KHRMaterialsIOR, KHRMaterialsSpecular } from '@gltf-transform/extensions'
import { validateBytes } from 'gltf-validator'
import ndarray from 'ndarray'
import { describe, expect, it } from 'vitest'
import { createDome } from './dome.js'

const photographed: PhotographedFace = {
  camera: { fieldOfView: 0.22, distance: 1000, projection: 'perspective' },
  pose: { rotation: [0.2, -0.4, 0.1], translation: [5, -3, 8], scale: 0.9 },
  illumination: {
    sphericalHarmonics: Array.from({ length: 27 }, (_, i) => (i < 3 ? 3 : 0.1)),
    lightPosition: [300, 200, 900],
    lightColor: [4, 3.5, 3],
    shininess: 30,
  },
}

describe('faceCapture', () => {
  it('value: the pose is that of Eq. 3, in metres', () => {
    const { pose } = faceCapture(photographed)
    const [pitch, yaw, roll] = [0.2, -0.4, 0.1]
    const point = [12, 34, 56]
    const { translation, scale } = photographed.pose!
    let p = point.map((value, i) => value + translation[i])
    const turn = (a: number, b: number, angle: number) => {
      const [x, y] = [p[a], p[b]]
      p = p.slice()
      p[a] = Math.cos(angle) * x - Math.sin(angle) * y
      p[b] = Math.sin(angle) * x + Math.cos(angle) * y
    }
    turn(1, 2, pitch)
    turn(2, 0, yaw)
    turn(0, 1, roll)
    const column = (c: number) => pose!.slice(4 * c, 4 * c + 4)
    for (let row = 0; row < 3; row++) {
      const moved = point.reduce((sum, v, c) => sum + (column(c)[row] * v) / 1000, column(3)[row])
      expect(moved).toBeCloseTo((scale * p[row]) / 1000, 9)
    }
    expect([0, 1, 2, 3].map((c) => column(c)[3])).toEqual([0, 0, 0, 1])
  })

  it('value: a GLB that says how it was photographed is valid and holds the shading', async () => {
    const dome = createDome()
    const factors = Float32Array.from({ length: 6 * 3 }, (_, i) => 0.3 + 0.15 * i)
    const shading = encodeShading(ndarray(factors, [2, 3, 3]))
    const textures = { ...bakeFaceTextures(dome, { size: 32 }), shading }
    const capture = faceCapture(photographed, { textures })
    const bytes = await encodeGlb(dome, { textures, capture, extras: { model: 'dome' } })
    const { issues } = await validateBytes(bytes)
    expect([issues.numErrors, issues.numWarnings, issues.numInfos]).toEqual([0, 0, 0])
    const io = new WebIO().registerExtensions([KHRMaterialsIOR, KHRMaterialsSpecular])
    const root = (await io.readBinary(bytes)).getRoot()
    const node = root.listNodes().find((each) => each.getExtras().facekit)!
    expect(node.getExtras().model).toBe('dome')
    const found = (node.getExtras().facekit as { capture: FaceCapture }).capture
    expect(found).toEqual(capture)
    expect(root.listMaterials().map((material) => material.getName())).toContain(
      found.illumination.shading!.material,
    )
    const { width, height, data } = found.illumination.shading!
    expect([width, height]).toEqual([3, 2])
    // Half a step of 4^(1 / 127).
    for (const [i, byte] of [...Buffer.from(data, 'base64')].entries())
      expect(Math.abs(Math.log(shadingFactor(byte) / factors[i]))).toBeLessThan(0.0055)
  })

  it('value: 1 is a byte of its own, and factors beyond the range are kept within it', () => {
    const map = encodeShading(ndarray(Float32Array.of(1, 100, 1e-9), [1, 1, 3]))
    expect(shadingFactor(map.data[0])).toBe(1)
    expect(shadingFactor(map.data[1])).toBe(SHADING_RANGE)
    expect(shadingFactor(map.data[2])).toBe(1 / SHADING_RANGE)
  })

  it('throws: lists of another length, numbers that are none, maps of another shape', () => {
    const { illumination, camera } = photographed
    expect(() => faceCapture({ camera, illumination: { ...illumination, sphericalHarmonics: [1] } })).toThrow(
      ShapeError,
    )
    expect(() =>
      faceCapture({ camera, illumination: { ...illumination, lightColor: [1, Number.NaN, 1] } }),
    ).toThrow(ValueError)
    expect(() => faceCapture({ illumination, camera: { ...camera, distance: 0 } })).toThrow(/distance/)
    expect(() => encodeShading(ndarray(new Float32Array(4), [2, 2]))).toThrow(ShapeError)
  })
})
