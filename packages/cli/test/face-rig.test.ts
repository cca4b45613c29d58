import { loadBaseModel, WholeHead } from '@facekit/base-model'
import { ValueError } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { bakeFaceTextures, encodeGlb, poseMotion } from '@facekit/export'
import { arkitTargets, evaluateShape, faceJoints } from '@facekit/morphable'
import { arkitNames, arkitWeights, neutralParameters } from '@facekit/parameters'
import { defaultCamera, renderFace } from '@facekit/render'
import { tensor2d, tidy, zeros, type Rank } from '@tensorflow/tfjs-core'
import { validateBytes } from 'gltf-validator'
import { AnimationMixer, LoopOnce, Mesh, PerspectiveCamera, SkinnedMesh, Vector3, type Object3D } from 'three'
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
  it('value: of the whole head, too, a valid file, small enough for maps of a photograph', async () => {
    const model = await loadBaseModel()
    const { triangles, innerMouthTriangles, shape, albedo, uv } = model
    const colors = {
      diffuse: Float32Array.from(albedo.diffuseMean.data),
      specular: Float32Array.from(albedo.specularMean.data),
    }
    const vertices = Float32Array.from(shape.mean.data)
    const face = { vertices, triangles, innerMouthTriangles, uv: uv!, ...colors }
    const whole = await WholeHead.of(model, face)
    const targets = arkitTargets(model)
    const rig = { neutral: face, targets, weights: new Float32Array(52), skin: faceJoints(model, vertices) }
    const { neutral, ...driven } = whole.rig(rig)
    const textures = whole.textures(bakeFaceTextures(face, { size: 64 }))
    const bytes = await encodeGlb(neutral, { ...driven, textures })
    const { issues } = await validateBytes(bytes)
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
    // Maps of photographs at 1024 take up to 1.05 MB more; all of it is to be at most 4 MB.
    expect(bytes.length).toBeLessThan(2.95e6)
    const sizes = driven.targets.map(({ offsets }) => Math.max(...Array.from(offsets, Math.abs)))
    expect(Math.min(...sizes)).toBeGreaterThan(0.5)
  }, 30_000)

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
    // Steps of 0.03 mm, offsets below 0.08 mm left out, for five shapes.
    expect(worst).toBeLessThan(0.15)
  }, 30_000)
})

describe('encodeGlb with joints', () => {
  it('value: in three.js an eye turns about its centre and alone, a jaw opens the mouth as jawOpen does', async () => {
    const model = await loadBaseModel()
    const { triangles, innerMouthTriangles, shape, albedo } = model
    // Somebody, not the mean face.
    const neutral = shape.mean.data.map((value, i) => value + 1.5 * shape.identity.data[i])
    const colors = { diffuse: albedo.diffuseMean, specular: albedo.specularMean }
    const mesh = { vertices: neutral, triangles, innerMouthTriangles, ...colors }
    const skin = faceJoints(model, neutral)
    expect(skin.joints.map(({ name }) => name)).toEqual(['head', 'jaw', 'leftEye', 'rightEye'])
    const bytes = await encodeGlb(mesh, { targets: arkitTargets(model), skin })
    const { issues } = await validateBytes(bytes)
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
    const { scene } = await new GLTFLoader().parseAsync(bytes.slice().buffer, '')
    const found: SkinnedMesh[] = []
    scene.traverse((object) => void (object instanceof SkinnedMesh && found.push(object)))
    expect(found).toHaveLength(2)
    const joint = (name: string): Object3D => scene.getObjectByName(name)!
    const positions = () => {
      scene.updateMatrixWorld(true)
      const at = new Vector3()
      return Float32Array.from({ length: neutral.length }, (_, i) =>
        i % 3 === 0 ? 1000 * found[0].getVertexPosition(i / 3, at).x : 1000 * (i % 3 === 1 ? at.y : at.z),
      )
    }
    const rest = positions()
    for (let i = 0; i < rest.length; i++) expect(Math.abs(rest[i] - neutral[i])).toBeLessThan(1e-3)
    const distance = (a: Float32Array, v: number, b: ArrayLike<number>, w = v) =>
      Math.hypot(...[0, 1, 2].map((c) => a[3 * v + c] - b[3 * w + c]))

    const eye = new Set(model.regions!.eyeLeft)
    const { position } = skin.joints[2]
    joint('leftEye').rotation.set(0, 0.3, 0)
    const turned = positions()
    const [changes, others]: number[][] = [[], []]
    for (let v = 0; v < model.vertexCount; v++)
      if (eye.has(v)) changes.push(distance(turned, v, position, 0) - distance(rest, v, position, 0))
      else others.push(distance(turned, v, rest))
    expect(changes).toHaveLength(model.regions!.eyeLeft.length)
    expect(Math.max(...changes.map(Math.abs))).toBeLessThan(1e-3)
    expect(Math.max(...others)).toBeLessThan(1e-4)
    // The subject's left is at +x, and a turn about +y is towards it: 16 mm from the centre, by 0.3.
    const front = model
      .regions!.iris.filter((v) => eye.has(v))
      .reduce((a, b) => (rest[3 * a + 2] > rest[3 * b + 2] ? a : b))
    expect(turned[3 * front] - rest[3 * front]).toBeCloseTo(16 * Math.sin(0.3), 0)
    joint('leftEye').rotation.set(0, 0, 0)

    joint('jaw').rotation.set(joint('jaw').userData.openAngle as number, 0, 0)
    const opened = positions()
    const jawOpen = arkitTargets(model)[at('jawOpen')].offsets
    const [chin, lip, upper, brow] = [8, 66, 62, 19].map((l) => model.landmarks[l])
    for (const v of [chin, lip]) {
      const shown = [0, 1, 2].map((c) => opened[3 * v + c] - rest[3 * v + c] - jawOpen[3 * v + c])
      expect(Math.hypot(...shown)).toBeLessThan(0.4 * Math.hypot(...jawOpen.subarray(3 * v, 3 * v + 3)))
    }
    expect(distance(opened, upper, rest)).toBeLessThan(2)
    expect(distance(opened, brow, rest)).toBeLessThan(1e-3)
  }, 30_000)
})

describe('encodeGlb with joints and an animation', () => {
  it('value: the last key of three.js is where renderFace draws the face', async () => {
    const model = await loadBaseModel()
    const { triangles, innerMouthTriangles, shape, albedo } = model
    const colors = { diffuse: albedo.diffuseMean, specular: albedo.specularMean }
    const mesh = { vertices: shape.mean, triangles, innerMouthTriangles, ...colors }
    const names = shape.expressionNames!
    const faces = [0, 0.5, 1].map((share) => {
      const rotation = [0.1 * share, -0.35 * share, 0.2 * share] as [number, number, number]
      const translation = [12 * share, -9 * share, 25 * share] as [number, number, number]
      const expression = names.map((name) => (name === 'jawOpen' ? 0.7 * share : 0))
      return { rotation, translation, scale: 1 + 0.3 * share, expression }
    })
    const moves = faces.map(poseMotion)
    const bytes = await encodeGlb(mesh, {
      targets: arkitTargets(model),
      skin: faceJoints(model, shape.mean.data as Float32Array),
      animation: {
        times: [0, 0.4, 0.8],
        weights: faces.flatMap(({ expression }) => [...arkitWeights(expression, names)]),
        rotation: moves.flatMap(({ rotation }) => rotation),
        translation: moves.flatMap(({ translation }) => translation),
        scale: moves.map(({ scale }) => scale),
      },
    })
    const { scene, animations } = await new GLTFLoader().parseAsync(bytes.slice().buffer, '')
    const mixer = new AnimationMixer(scene)
    const action = mixer.clipAction(animations[0]).setLoop(LoopOnce, 1)
    action.clampWhenFinished = true
    action.play()
    mixer.setTime(0.8)
    scene.updateMatrixWorld(true)
    const found: SkinnedMesh[] = []
    scene.traverse((object) => void (object instanceof SkinnedMesh && found.push(object)))

    const { rotation, translation, scale, expression } = faces[2]
    const drawn = await tidy(() => {
      const neutral = neutralParameters(model.layout)
      const pose = {
        rotation: tensor2d([rotation]),
        translation: tensor2d([translation]),
        scale: tensor2d([[scale]]),
      }
      const parameters = { ...neutral, expression: tensor2d([expression]), pose }
      return renderFace(model, parameters, { width: 224, height: 224 }).landmarks
    }).data()
    const { fieldOfView, distance } = defaultCamera
    const camera = new PerspectiveCamera((fieldOfView * 180) / Math.PI, 1, 0.1, 10)
    camera.position.z = distance / 1000
    camera.updateMatrixWorld()
    const at = new Vector3()
    let worst = 0
    // Those of the jaw slide along the outline there.
    for (let l = 17; l < 68; l++) {
      found[0].localToWorld(found[0].getVertexPosition(model.landmarks[l], at)).project(camera)
      const [x, y] = [112 * (1 + at.x), 112 * (1 - at.y)]
      worst = Math.max(worst, Math.hypot(x - drawn[2 * l], y - drawn[2 * l + 1]))
    }
    expect(worst).toBeLessThan(0.1)
  }, 30_000)
})
