import * as tf from '@tensorflow/tfjs-core'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import {
  shadeDiffuse,
  shadeSpecular,
  sphericalHarmonicsAt,
  sphericalHarmonicsBasis,
} from '@facekit/illumination'
import { whiteLight } from '@facekit/parameters'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const [batch, count] = [2, 40]

function unitRows(rows: number, seed: number): number[][] {
  const random = createRandom(seed)
  return Array.from({ length: rows }, () => {
    const v = [random.normal(), random.normal(), random.normal()]
    const length = Math.hypot(...v)
    return v.map((x) => x / length)
  })
}

function basisReference([x, y, z]: number[]): number[] {
  return [
    0.28209479177387814,
    0.4886025119029199 * y,
    0.4886025119029199 * z,
    0.4886025119029199 * x,
    1.0925484305920792 * x * y,
    1.0925484305920792 * y * z,
    0.31539156525252005 * (3 * z * z - 1),
    1.0925484305920792 * x * z,
    0.5462742152960396 * (x * x - y * y),
  ]
}

const randomTensor = (shape: number[], seed: number, low = 0, high = 1) => {
  const random = createRandom(seed)
  const size = shape.reduce((a, b) => a * b, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.uniform(low, high)),
    shape,
  )
}

function specularScene(seed = 1) {
  const random = createRandom(seed)
  // Normals that lean to the camera, so that most points have a highlight.
  const normals = unitRows(batch * count, seed).map(([x, y, z]) => {
    const v = [0.7 * x, 0.7 * y, 0.5 + Math.abs(z)]
    const length = Math.hypot(...v)
    return v.map((c) => c / length)
  })
  return {
    albedo: randomTensor([batch, count, 3], seed + 1) as tf.Tensor3D,
    normals: tf.reshape<tf.Rank.R3>(tf.tensor2d(normals), [batch, count, 3]),
    positions: randomTensor([batch, count, 3], seed + 2, -1, 1) as tf.Tensor3D,
    lightPosition: tf.tensor2d([
      [2, 4, 5],
      [-8, 1, 2],
    ]),
    lightColor: tf.tensor2d([
      [1, 0.9, 0.8],
      [0.5, 1, 1.5],
    ]),
    cameraPosition: tf.tensor2d([
      [0, 0, 10],
      [1, random.uniform(), 8],
    ]),
    shininess: tf.tensor2d([[6], [1.5]]),
  }
}

function specularReference(
  albedo: number[],
  n: number[],
  p: number[],
  light: number[],
  color: number[],
  camera: number[],
  shininess: number,
): number[] {
  const unit = (v: number[]) => v.map((x) => x / Math.hypot(...v))
  const dot = (a: number[], b: number[]) => a.reduce((s, x, i) => s + x * b[i], 0)
  const l = unit(light.map((x, i) => x - p[i]))
  const o = unit(camera.map((x, i) => x - p[i]))
  const h = unit(l.map((x, i) => x + o[i]))
  const t = Math.min(1, Math.max(0, dot(n, l) / 0.05))
  const strength = Math.max(0, dot(n, h)) ** shininess * t * t * (3 - 2 * t)
  return albedo.map((a, i) => a * color[i] * strength)
}

describe('sphericalHarmonicsAt', () => {
  it('value: the nine functions, against their polynomials; white light has irradiance 1', () => {
    for (const [x, y, z] of unitRows(20, 8)) {
      const reference = basisReference([x, y, z])
      sphericalHarmonicsAt(x, y, z).forEach((value, k) => expect(value).toBeCloseTo(reference[k], 12))
      expect(whiteLight * sphericalHarmonicsAt(x, y, z)[0]).toBeCloseTo(1, 12)
    }
  })
})

// 'device' runs the operations that WebGPU gets.
describe.each([...testBackends, 'device'])('illumination on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: the nine functions, against their polynomials', () => {
    const rows = unitRows(60, 1)
    const normals = tf.tensor2d(rows)
    const basis = sphericalHarmonicsBasis(normals)
    expect(basis.shape).toEqual([60, 9])
    const values = basis.dataSync()
    rows.forEach((row, i) =>
      basisReference(row).forEach((value, k) => expect(values[9 * i + k]).toBeCloseTo(value, 5)),
    )
    tf.dispose([normals, basis])
  })

  it('value: orthonormal over the sphere', () => {
    // Gauss-like: a fine grid in longitude and in z, which is uniform on the sphere.
    const rows: number[][] = []
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 60; j++) {
        const z = -1 + (2 * (i + 0.5)) / 60
        const angle = (2 * Math.PI * (j + 0.5)) / 60
        rows.push([Math.sqrt(1 - z * z) * Math.cos(angle), Math.sqrt(1 - z * z) * Math.sin(angle), z])
      }
    }
    const gram = tf.tidy(() => {
      const basis = sphericalHarmonicsBasis(tf.tensor2d(rows))
      return tf.mul(tf.matMul(basis, basis, true), (4 * Math.PI) / rows.length).dataSync()
    })
    for (let i = 0; i < 9; i++) {
      for (let j = 0; j < 9; j++) expect(gram[9 * i + j]).toBeCloseTo(i === j ? 1 : 0, 2)
    }
  })

  it('shape: bands and leading dimensions', () => {
    const normals = randomTensor([2, 3, 4, 3], 1)
    const shapes = ([1, 2, 3] as const).map((bands) =>
      tf.tidy(() => sphericalHarmonicsBasis(normals, { bands }).shape),
    )
    expect(shapes).toEqual([
      [2, 3, 4, 1],
      [2, 3, 4, 4],
      [2, 3, 4, 9],
    ])
    normals.dispose()
  })

  it('value: diffuse shading against float64, for vertices and pictures', () => {
    const rows = unitRows(batch * count, 3)
    const normals = tf.reshape<tf.Rank.R3>(tf.tensor2d(rows), [batch, count, 3])
    const albedo = randomTensor([batch, count, 3], 4) as tf.Tensor3D
    const light = randomTensor([batch, 9, 3], 5, -1, 2) as tf.Tensor3D
    for (const bands of [1, 2, 3] as const) {
      const out = shadeDiffuse(albedo, normals, light, { bands })
      const [values, colors, lights] = [out, albedo, light].map((t) => t.dataSync())
      let worst = 0
      rows.forEach((row, i) => {
        const b = Math.floor(i / count)
        const basis = basisReference(row).slice(0, bands * bands)
        for (let c = 0; c < 3; c++) {
          const sum = basis.reduce((s, value, k) => s + value * lights[27 * b + 3 * k + c], 0)
          worst = Math.max(worst, Math.abs(values[3 * i + c] - colors[3 * i + c] * sum))
        }
      })
      expect(worst).toBeLessThan(1e-5)
      const picture = tf.tidy(() =>
        shadeDiffuse(
          tf.reshape<tf.Rank.R4>(albedo, [batch, 5, count / 5, 3]),
          tf.reshape<tf.Rank.R4>(normals, [batch, 5, count / 5, 3]),
          light,
          { bands },
        ),
      )
      expect(picture.shape).toEqual([batch, 5, count / 5, 3])
      expect(picture.dataSync()).toEqual(values)
      tf.dispose([out, picture])
    }
    tf.dispose([normals, albedo, light])
  })

  it('value: constant light of 1 / 0.282095 shows the albedo itself', () => {
    const normals = tf.tensor3d([unitRows(5, 1)])
    const albedo = tf.tensor3d([unitRows(5, 2)])
    const light = tf.tensor3d(
      Array.from({ length: 3 }, () => 2 * Math.sqrt(Math.PI)),
      [1, 1, 3],
    )
    const out = shadeDiffuse(albedo, normals, light)
    const expected = albedo.dataSync()
    out.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6))
    tf.dispose([normals, albedo, light, out])
  })

  it('gradient: diffuse shading and the basis', async () => {
    const normals = tf.tensor3d([unitRows(8, 1), unitRows(8, 2)])
    const albedo = randomTensor([2, 8, 3], 3)
    const light = randomTensor([2, 9, 3], 4, -1, 1)
    await checkGradient((n) => sphericalHarmonicsBasis(n), [normals])
    await checkGradient(
      (a, n, c) => shadeDiffuse(a as tf.Tensor3D, n as tf.Tensor3D, c as tf.Tensor3D),
      [albedo, normals, light],
    )
    tf.dispose([normals, albedo, light])
  })

  it('value: specular shading against float64', () => {
    const scene = specularScene()
    const out = shadeSpecular(scene)
    const data = Object.fromEntries(Object.entries(scene).map(([k, t]) => [k, Array.from(t.dataSync())]))
    const values = out.dataSync()
    let [worst, bright] = [0, 0]
    for (let i = 0; i < batch * count; i++) {
      const b = Math.floor(i / count)
      const row = (name: string, r: number) => data[name].slice(3 * r, 3 * r + 3)
      const expected = specularReference(
        row('albedo', i),
        row('normals', i),
        row('positions', i),
        row('lightPosition', b),
        row('lightColor', b),
        row('cameraPosition', b),
        data.shininess[b],
      )
      expected.forEach((value, c) => (worst = Math.max(worst, Math.abs(value - values[3 * i + c]))))
      if (expected[0] > 0.05) bright++
    }
    expect(bright).toBeGreaterThan(20)
    expect(worst).toBeLessThan(1e-5)
    tf.dispose([...Object.values(scene), out])
  })

  it('value: a mirror direction shows albedo times light; behind the surface there is nothing', () => {
    const at = (normal: number[], light: number[]) =>
      tf.tidy(() => [
        ...shadeSpecular({
          albedo: tf.tensor3d([[[0.2, 0.4, 0.6]]]),
          normals: tf.tensor3d([[normal]]),
          positions: tf.tensor3d([[[0, 0, 0]]]),
          lightPosition: tf.tensor2d([light]),
          lightColor: tf.tensor2d([[1, 2, 0.5]]),
          cameraPosition: tf.tensor1d([0, 3, 4]),
          shininess: tf.tensor2d([[50]]),
        }).dataSync(),
      ])
    at([0, 0, 1], [0, -3, 4]).forEach((value, i) => expect(value).toBeCloseTo([0.2, 0.8, 0.3][i], 5))
    expect(at([0, 0, 1], [0, 3, -4])).toEqual([0, 0, 0])
    expect(at([0, 0, -1], [0, -3, 4])).toEqual([0, 0, 0])
  })

  it('gradient: every argument of specular shading', async () => {
    const scene = specularScene()
    const names = Object.keys(scene) as (keyof typeof scene)[]
    await checkGradient(
      (...inputs) =>
        shadeSpecular(Object.fromEntries(inputs.map((t, i) => [names[i], t])) as unknown as typeof scene),
      names.map((name) => scene[name]),
    )
    tf.dispose(Object.values(scene))
  })

  it('gradient: a camera shared by the batch', async () => {
    const scene = specularScene()
    const camera = tf.tensor1d([0, 0.5, 9])
    await checkGradient((c) => shadeSpecular({ ...scene, cameraPosition: c as tf.Tensor1D }), [camera])
    tf.dispose([...Object.values(scene), camera])
  })

  it('gradient: finite where the power and the lengths are 0', () => {
    const scene = {
      albedo: tf.ones<tf.Rank.R3>([1, 4, 3]),
      // Away from the light, at a right angle to h, and points in the light and in the camera.
      normals: tf.tensor3d([
        [
          [0, 0, -1],
          [0, 1, 0],
          [0, 0, 1],
          [0, 0, 1],
        ],
      ]),
      positions: tf.tensor3d([
        [
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 5],
          [0, 0, 10],
        ],
      ]),
      lightPosition: tf.tensor2d([[0, 0, 5]]),
      lightColor: tf.ones<tf.Rank.R2>([1, 3]),
      cameraPosition: tf.tensor2d([[0, 0, 10]]),
      shininess: tf.tensor2d([[1]]),
    }
    const gradients = tf.grads((...inputs: tf.Tensor[]) =>
      shadeSpecular(
        Object.fromEntries(Object.keys(scene).map((name, i) => [name, inputs[i]])) as unknown as typeof scene,
      ),
    )(Object.values(scene))
    for (const gradient of gradients) expect(gradient.dataSync().every((v) => Number.isFinite(v))).toBe(true)
    tf.dispose([...Object.values(scene), ...gradients])
  })

  it('memory: nothing is left behind', async () => {
    const scene = specularScene()
    const light = randomTensor([batch, 9, 3], 4) as tf.Tensor3D
    await expectNoLeak(() => {
      const specular = tf.grads((a: tf.Tensor, n: tf.Tensor) =>
        shadeSpecular({ ...scene, albedo: a as tf.Tensor3D, normals: n as tf.Tensor3D }),
      )
      const diffuse = tf.grads((a: tf.Tensor, n: tf.Tensor) =>
        shadeDiffuse(a as tf.Tensor3D, n as tf.Tensor3D, light, { bands: 2 }),
      )
      tf.dispose([...specular([scene.albedo, scene.normals]), ...diffuse([scene.albedo, scene.normals])])
      tf.dispose([shadeSpecular(scene), shadeDiffuse(scene.albedo, scene.normals, light)])
    })
    tf.dispose([...Object.values(scene), light])
  })

  it('throws: wrong shapes, types and bands', () => {
    const scene = specularScene()
    const [two, five] = [tf.zeros([3, 2]), tf.zeros<tf.Rank.R3>([batch, 5, 3])]
    const one = tf.zeros<tf.Rank.R3>([1, 9, 3])
    expect(() => sphericalHarmonicsBasis(two)).toThrow(ShapeError)
    expect(() => sphericalHarmonicsBasis(scene.normals, { bands: 4 as 3 })).toThrow(ValueError)
    expect(() => shadeDiffuse(scene.albedo, five, one)).toThrow(ShapeError)
    expect(() => shadeDiffuse(scene.albedo, scene.normals, one)).toThrow(ShapeError)
    expect(() => shadeDiffuse(scene.albedo, scene.normals, five)).toThrow(ShapeError)
    expect(() => shadeDiffuse(scene.albedo, scene.normals, five, { bands: 3 })).toThrow(ShapeError)
    expect(() => shadeSpecular({ ...scene, normals: five })).toThrow(ShapeError)
    expect(() => shadeSpecular({ ...scene, shininess: scene.lightColor })).toThrow(ShapeError)
    expect(() => shadeSpecular({ ...scene, lightPosition: undefined as unknown as tf.Tensor2D })).toThrow(
      ShapeError,
    )
    tf.dispose([...Object.values(scene), two, five, one])
  })
})
