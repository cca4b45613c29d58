import { loadBaseModel } from '@facekit/base-model'
import { ValueError } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { bakeFaceTextures, encodeGlb } from '@facekit/export'
import { arkitTargets, evaluateShape } from '@facekit/morphable'
import { arkitNames, arkitWeights } from '@facekit/parameters'
import { tensor2d, tidy, zeros, type Rank } from '@tensorflow/tfjs-core'
import { validateBytes } from 'gltf-validator'
import { Mesh, Vector3 } from 'three'
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await initEngine({ backend: 'cpu' })
})

const at = (name: (typeof arkitNames)[number]) => arkitNames.indexOf(name)

describe('arkitTargets', () => {
  it('value: mouthClose brings together lips that jawOpen has parted', async () => {
    const model = await loadBaseModel()
    const targets = arkitTargets(model)
    const mean = model.shape.mean.data
    // Middles of the inner lips: landmarks 62 and 66.
    const gap = (moved: readonly number[]) => {
      const y = [62, 66].map((l) => {
        const v = 3 * model.landmarks[l] + 1
        return mean[v] + moved.reduce((sum, k) => sum + targets[k].offsets[v], 0)
      })
      return y[0] - y[1]
    }
    expect(gap([at('jawOpen')]) - gap([])).toBeGreaterThan(15)
    expect(Math.abs(gap([at('jawOpen'), at('mouthClose')]) - gap([]))).toBeLessThan(1)
  })

  it('throws: a model whose expressions have no names', async () => {
    const model = await loadBaseModel()
    const { expressionNames: _, ...shape } = model.shape
    expect(() => arkitTargets({ ...model, shape })).toThrow(ValueError)
  })
})

describe('encodeGlb with ARKit targets', () => {
  it('value: three.js shows the expression at first, from a valid file', async () => {
    const model = await loadBaseModel()
    const names = model.shape.expressionNames!
    const chosen: Record<string, number> = {
      jawOpen: 0.4,
      mouthSmileLeft: 0.7,
      browInnerUpLeft: 0.5,
      browInnerUpRight: 0.5,
    }
    const expression = names.map((name) => chosen[name] ?? 0)
    const posed = await tidy(() =>
      evaluateShape(model, {
        identity: zeros<Rank.R2>([1, model.layout.identity]),
        expression: tensor2d([expression]),
      }),
    ).data()
    const { triangles, innerMouthTriangles, shape, albedo, uv } = model
    const colors = { diffuse: albedo.diffuseMean, specular: albedo.specularMean }
    const neutral = { vertices: shape.mean, triangles, innerMouthTriangles, uv: uv!, ...colors }
    const driven = { targets: arkitTargets(model), weights: arkitWeights(expression, names) }
    const bytes = await encodeGlb(neutral, {
      ...driven,
      textures: bakeFaceTextures(neutral, { size: 64 }),
    })
    // Maps of a photograph at 1024 take 1.3 MB more.
    expect(bytes.length).toBeLessThan(2.5e6)
    const { issues } = await validateBytes(bytes)
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
    // Without maps: three.js decodes pictures in browsers only.
    const { uv: _, ...plain } = neutral
    const plainBytes = await encodeGlb(plain, driven)
    const { scene } = await new GLTFLoader().parseAsync(plainBytes.slice().buffer, '')
    const meshes: Mesh[] = []
    scene.traverse((object) => void (object instanceof Mesh && meshes.push(object)))
    expect(meshes.map((mesh) => Object.keys(mesh.morphTargetDictionary!))).toEqual([
      [...arkitNames],
      [...arkitNames],
    ])
    let worst = 0
    const found = new Vector3()
    for (let v = 0; v < model.vertexCount; v++) {
      meshes[0].getVertexPosition(v, found)
      const off = found.toArray().map((value, c) => 1000 * value - posed[3 * v + c])
      worst = Math.max(worst, Math.hypot(...off))
    }
    // Steps of 0.03 mm, offsets below 0.05 mm left out, for five shapes.
    expect(worst).toBeLessThan(0.15)
  }, 30_000)
})
