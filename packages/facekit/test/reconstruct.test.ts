import { createRequire } from 'node:module'
import {
  AnnotationError,
  findFaces,
  ImageError,
  reconstruct,
  reconstructAll,
  ValueError,
  type Face,
} from 'facekit'
import { validateBytes } from 'gltf-validator'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')
/** Least work: the networks of browsers, few steps, small maps. */
const quick = { networks: 'small', iterations: 2, texture: 64 } as const

/** What the JSON of a GLB has of what is tested. */
interface GlbJson {
  images: { name: string }[]
  skins?: unknown[]
  meshes: {
    weights?: number[]
    extras?: { targetNames: string[] }
    primitives: { attributes: { POSITION: number } }[]
  }[]
  accessors: { count: number; min?: number[]; max?: number[] }[]
}

function glbJson(bytes: Uint8Array): GlbJson {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true)
  return JSON.parse(Buffer.from(bytes.subarray(20, 20 + length)).toString())
}

const crop = () => sharp(photograph).extract({ left: 650, top: 280, width: 560, height: 560 })

describe('reconstruct in Node', () => {
  let face: Face
  const stages: [string, number][] = []

  beforeAll(async () => {
    const { data, info } = await crop().ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    face = await reconstruct(
      { width: info.width, height: info.height, data: new Uint8ClampedArray(data) },
      { ...quick, onProgress: ({ stage, progress }) => stages.push([stage, progress]) },
    )
  })
  afterAll(() => face?.dispose())

  it('value: progress goes through all stages to 1 and never falls', () => {
    expect([...new Set(stages.map(([stage]) => stage))]).toEqual([
      'reading',
      'finding',
      'landmarks',
      'shape',
      'texture',
    ])
    const shares = stages.map(([, progress]) => progress)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)
  })

  it('value: the fitted landmarks are where the photograph has them', () => {
    const { landmarks, annotatedLandmarks, box, metrics } = face.parameters
    expect(metrics.landmarkError).toBeLessThan(0.05)
    expect(landmarks).toHaveLength(68)
    const worst = Math.max(
      ...landmarks.map(([x, y], k) => Math.hypot(x - annotatedLandmarks[k][0], y - annotatedLandmarks[k][1])),
    )
    expect(worst).toBeLessThan(0.2 * box.width)
  })

  it('value: the matrices of `view` put vertices where `landmarks3d` says', async () => {
    const { vertices } = await face.geometry()
    const { modelMatrix, projectionMatrix, width, height } = face.view
    const model = await import('@facekit/base-model').then(({ loadBaseModel }) => loadBaseModel())
    const apply = (m: number[], v: number[]) =>
      [0, 1, 2, 3].map((row) =>
        [0, 1, 2, 3].reduce((sum, column) => sum + m[4 * column + row] * v[column], 0),
      )
    for (const k of [8, 30, 36, 45, 54]) {
      const start = 3 * model.landmarks[k]
      const [x, y, , w] = apply(
        projectionMatrix,
        apply(modelMatrix, [...vertices.subarray(start, start + 3), 1]),
      )
      const [px, py] = face.parameters.landmarks3d[k]
      expect(((x / w + 1) / 2) * width).toBeCloseTo(px, 1)
      expect(((1 - y / w) / 2) * height).toBeCloseTo(py, 1)
    }
  })

  it('value: every vertex has a normal of length 1, those between the lips, too', async () => {
    for (const head of ['face', 'full'] as const) {
      const { normals, innerMouthTriangles } = await face.geometry({ head })
      const lengths = Array.from({ length: normals.length / 3 }, (_, v) =>
        Math.hypot(...normals.subarray(3 * v, 3 * v + 3)),
      )
      expect([head, lengths.findIndex((length) => Math.abs(length - 1) > 1e-3)]).toEqual([head, -1])
      // They look out of the mouth.
      const outwards = [...innerMouthTriangles].filter((v) => normals[3 * v + 2] > 0).length
      expect(outwards).toBeGreaterThanOrEqual(0.7 * innerMouthTriangles.length)
    }
  })

  it('value: a whole head begins with the face, moves with it, and has maps of its own', async () => {
    const expression = { jawOpen: 0.6, mouthSmileLeft: 0.4 }
    for (const change of [{}, { expression }, { expression, identity: [1.5, -1] }]) {
      const own = await face.geometry(change)
      const whole = await face.geometry({ ...change, head: 'full' })
      expect(whole.vertices.length).toBeGreaterThan(1.2 * own.vertices.length)
      const worst = Math.max(...own.vertices.map((value, i) => Math.abs(value - whole.vertices[i])))
      expect(worst).toBeLessThan(0.01)
      const count = whole.vertices.length / 3
      expect(Math.max(...whole.triangles)).toBe(count - 1)
      expect([whole.uv!.length, whole.uncertainty!.length]).toEqual([2 * count, count])
    }
    // The rest follows the jaw.
    const [shut, open] = [
      await face.geometry({ head: 'full' }),
      await face.geometry({ head: 'full', expression }),
    ]
    const first = (await face.geometry()).vertices.length
    const moved = shut.vertices.subarray(first).map((value, i) => Math.abs(value - open.vertices[first + i]))
    expect(Math.max(...moved)).toBeGreaterThan(1)
    const [maps, wholeMaps] = [await face.maps(), await face.maps({ head: 'full' })]
    expect(wholeMaps.diffuse.width).toBe(maps.diffuse.width)
    expect(wholeMaps.diffuse.data.every((value, i) => value === maps.diffuse.data[i])).toBe(false)
    // The back of the head shines no more than the face.
    const { width, data } = wholeMaps.specular
    const [x, y] = [0.071, 0.071].map((share) => Math.round(share * width))
    const most = Math.max(...maps.specular.data.filter((_, i) => i % 4 !== 3))
    expect(data[4 * (y * width + x)]).toBeLessThan(0.95 * most)
    expect(data[4 * (y * width + x)]).toBeGreaterThan(0.2 * most)
    // Shadows of the photograph end with the face: teeth have none, and the rest goes on from its rim.
    const shading = wholeMaps.shading!
    expect([shading.width, maps.shading!.width]).toEqual([64, 64])
    const rightOfTop = 4 * (2 * shading.width + Math.round(0.93 * shading.width))
    expect([...shading.data.subarray(rightOfTop, rightOfTop + 3)]).toEqual([128, 128, 128])
    expect(shading.data.every((value, i) => value === maps.shading!.data[i])).toBe(false)
    await expect(face.geometry({ head: 'half' as never })).rejects.toThrow(/head is half/)
  })

  it('value: cautions say what a photograph leaves open', async () => {
    expect(face.cautions).toEqual([])
    const small = await sharp(await crop().png().toBuffer())
      .resize({ width: 110 })
      .jpeg()
      .toBuffer()
    const red = await sharp(await crop().png().toBuffer())
      .linear([1, 0.62, 0.4], [0, 0, 0])
      .jpeg({ quality: 95 })
      .toBuffer()
    const [seen, lit] = [
      await reconstruct(small, { ...quick, iterations: 0 }),
      await reconstruct(red, { ...quick, iterations: 10 }),
    ]
    expect(seen.cautions).toContain('small')
    expect(lit.cautions).toContain('colored-light')
    seen.dispose()
    lit.dispose()
  })

  it('value: the GLB is valid and has UV and three maps', async () => {
    const report = await validateBytes(await face.glb())
    const { issues, info } = report as typeof report & {
      info: { hasTextures: boolean; resources: { mimeType: string }[] }
    }
    expect(issues.numErrors).toBe(0)
    expect(info.hasTextures).toBe(true)
    expect(info.resources.filter(({ mimeType }) => mimeType === 'image/png')).toHaveLength(3)
  })

  it('value: the GLB can be driven by the 52 blend shapes of ARKit, or has its expression for good', async () => {
    const { meshes, skins } = glbJson(await face.glb())
    expect(meshes[0].extras?.targetNames).toHaveLength(52)
    expect(meshes[0].extras?.targetNames).toContain('jawOpen')
    expect(meshes[0].weights).toHaveLength(52)
    expect(skins).toHaveLength(1)
    const still = glbJson(await face.glb({ rig: false }))
    expect(still.meshes[0].weights).toBeUndefined()
    expect(still.skins).toBeUndefined()
  })

  it('value: with head: full files have the rest of the head, and can be driven as well', async () => {
    const picture = await crop().jpeg().toBuffer()
    const head = await reconstruct(picture, { ...quick, iterations: 0, head: 'full' })
    const bytes = await head.glb()
    const usdz = await head.usdz()
    const { vertices } = await head.geometry()
    head.dispose()
    expect((await validateBytes(bytes)).issues.numErrors).toBe(0)
    const { meshes, accessors } = glbJson(bytes)
    expect(meshes[0].weights).toHaveLength(52)
    const { min, max, count } = accessors[meshes[0].primitives[0].attributes.POSITION]
    expect(count).toBeGreaterThan(vertices.length / 3)
    // Metres: a face is a shell, a head as deep as it is high.
    expect(max![2] - min![2]).toBeGreaterThan(0.18)
    expect(usdz.length).toBeGreaterThan(100_000)
    await expect(reconstruct(picture, { ...quick, head: 'half' as never })).rejects.toThrow(/head is half/)
  })

  it('value: USDZ is an archive that holds the layer first', async () => {
    const bytes = Buffer.from(await face.usdz())
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from('PK\x03\x04'))
    expect(bytes.subarray(30, 39).toString()).toBe('face.usda')
  })

  it('value: what is between the lips is drawn as the photograph shows it', async () => {
    const laughing = await reconstruct(
      await sharp(photograph).extract({ left: 1400, top: 130, width: 400, height: 400 }).png().toBuffer(),
      { ...quick, iterations: 0 },
    )
    const map = (await laughing.maps()).mouth!
    expect([map.width, map.height]).toEqual([256, 128])
    const { images } = glbJson(await laughing.glb())
    expect(images.map(({ name }) => name)).toContain('mouth')
    const options = { width: 96, mode: 'diffuse', expression: { jawOpen: 0.6 } } as const
    const mouth = (await laughing.render(options)).data
    const clay = (await laughing.render({ ...options, mode: 'shape' })).data
    laughing.dispose()
    expect((await face.maps()).mouth).toBeUndefined()
    // Clay has a dark mouth; where it is, the map is brighter.
    const inside = [...clay.keys()].filter((i) => i % 4 === 0 && clay[i + 3] === 255 && clay[i] < 60)
    const mean = (data: Uint8ClampedArray) => inside.reduce((sum, i) => sum + data[i], 0) / inside.length
    expect(inside.length).toBeGreaterThan(20)
    expect(mean(mouth)).toBeGreaterThan(mean(clay) + 5)
  })

  it('value: a follower sees where the head of a video goes, and that it is gone', async () => {
    const frame = async (left: number) =>
      sharp(photograph).extract({ left, top: 280, width: 560, height: 560 }).jpeg().toBuffer()
    const wall = await sharp({ create: { width: 560, height: 560, channels: 3, background: '#7a8894' } })
      .png()
      .toBuffer()
    const follower = face.follow()
    const places: number[] = []
    for (const left of [650, 670, 690]) {
      const found = await follower.next(await frame(left))
      const { modelMatrix, projectionMatrix, width } = found!.view
      const [x, , , w] = [0, 1, 2, 3].map((row) =>
        [0, 1, 2, 3].reduce((sum, k) => sum + projectionMatrix[4 * k + row] * modelMatrix[12 + k], 0),
      )
      places.push(((x / w + 1) / 2) * width)
      expect(found!.geometry.vertices).toHaveLength((await face.geometry()).vertices.length)
    }
    expect(places[0] - places[2]).toBeGreaterThan(15)
    expect(places[0] - places[2]).toBeLessThan(45)
    expect(await follower.next(wall)).toBeUndefined()
    follower.dispose()
  })

  it('value: two photographs make one face, which fits the first', async () => {
    const portrait = await crop().jpeg().toBuffer()
    const smaller = await crop().resize(400, 400).jpeg().toBuffer()
    const both = await reconstruct([portrait, smaller], { ...quick, iterations: 0 })
    expect(both.parameters.picture).toMatchObject({ width: 560, height: 560 })
    expect(both.parameters.metrics.landmarkError).toBeLessThan(0.05)
    both.dispose()
    await expect(reconstruct([], quick)).rejects.toThrow(/list of photographs is empty/)
    await expect(reconstruct([portrait, smaller], { ...quick, method: 'regress' })).rejects.toThrow(
      /several photographs need 'fit'/,
    )
  })

  it('value: a turned head shows less of itself, and light from the other side the other cheek', async () => {
    const covered = (image: { data: Uint8ClampedArray }) =>
      image.data.filter((value, i) => i % 4 === 3 && value > 127).length
    const front = await face.render({ width: 96, light: 'studio' })
    const side = await face.render({ width: 96, light: 'studio', yaw: 1.4 })
    expect(covered(front)).toBeGreaterThan(96 * 96 * 0.25)
    expect(covered(side)).toBeLessThan(0.9 * covered(front))
    const brightness = (image: { data: Uint8ClampedArray }, from: number, to: number) => {
      let sum = 0
      for (let y = 0; y < 96; y++) for (let x = from; x < to; x++) sum += image.data[4 * (96 * y + x) + 1]
      return sum
    }
    const lit = await face.render({ width: 96, light: 'side' })
    expect(brightness(lit, 48, 96)).toBeGreaterThan(2 * brightness(lit, 0, 48))
  })

  it("value: in the light of the photograph a face has its shadows, in the same light of one's own it has not", async () => {
    const { data, info } = await crop().ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    // Three bars of shade, as of a blind.
    for (let pixel = 0; pixel < info.width * info.height; pixel++)
      if (Math.floor((pixel % info.width) / 60) % 2)
        for (let c = 0; c < 3; c++) data[4 * pixel + c] = Math.round(0.6 * data[4 * pixel + c])
    const barred = await reconstruct(
      { width: info.width, height: info.height, data: new Uint8ClampedArray(data) },
      quick,
    )
    const { sphericalHarmonics, lightPosition, lightColor } = barred.parameters.illumination
    const [[x, y, z], [r, g, b]] = [lightPosition, lightColor]
    const [shown, own] = [
      await barred.render({ width: 96 }),
      await barred.render({
        width: 96,
        light: { sphericalHarmonics, lightPosition: [x, y, z], lightColor: [r, g, b] },
      }),
    ]
    barred.dispose()
    const ratios: number[] = []
    for (let at = 0; at < shown.data.length; at += 4)
      if (shown.data[at + 3] === 255 && own.data[at + 1] > 20)
        ratios.push(Math.log(Math.max(shown.data[at + 1], 1) / own.data[at + 1]))
    const mean = ratios.reduce((sum, ratio) => sum + ratio / ratios.length, 0)
    const deviation = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2 / ratios.length, 0))
    expect(ratios.length).toBeGreaterThan(1000)
    // Bytes of 0.6 are a third of the light: 0.55 of the logarithm to either side of the mean, of which the albedo keeps a part.
    expect(deviation).toBeGreaterThan(0.05)
  })

  it('value: an expression moves the mouth and leaves the forehead', async () => {
    const [before, after] = [
      await face.geometry({ expression: { jawOpen: 0 } }),
      await face.geometry({ expression: { jawOpen: 1 } }),
    ]
    const moved = (lowest: number, highest: number) => {
      let most = 0
      for (let v = 0; v < before.vertices.length; v += 3) {
        if (before.vertices[v + 1] < lowest || before.vertices[v + 1] > highest) continue
        most = Math.max(most, Math.abs(before.vertices[v + 1] - after.vertices[v + 1]))
      }
      return most
    }
    expect(moved(-200, -40)).toBeGreaterThan(10)
    expect(moved(60, 300)).toBeLessThan(1)
  })

  it('throws: for what a face does not have', async () => {
    await expect(face.geometry({ expression: { tail: 1 } })).rejects.toThrow(
      /no expression "tail", expected one of/,
    )
    await expect(face.render({ width: 32, light: 'moon' as never })).rejects.toThrow(
      /light is "moon", expected/,
    )
    await expect(face.render({ width: 0 })).rejects.toThrow(ValueError)
    await expect(reconstruct(photograph, { ...quick, face: 17 })).rejects.toThrow(
      /face is 17, expected a whole number from 0 to/,
    )
  })

  it('throws: AnnotationError without a face, ImageError for what is no picture', async () => {
    const wall = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#7a8894' } })
      .png()
      .toBuffer()
    await expect(reconstruct(wall, quick)).rejects.toThrow(AnnotationError)
    await expect(findFaces(wall, quick)).resolves.toEqual([])
    await expect(reconstruct(Buffer.from('only words'), quick)).rejects.toThrow(ImageError)
    await expect(reconstruct('nowhere.jpg', quick)).rejects.toThrow(/no such file/)
    await expect(reconstruct(null as never, quick)).rejects.toThrow(ImageError)
  })

  it('throws: the reason of the signal, at once and on the way', async () => {
    await expect(reconstruct(photograph, { ...quick, signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    const controller = new AbortController()
    const stopped = reconstruct(await crop().jpeg().toBuffer(), {
      ...quick,
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'landmarks' && controller.abort(new Error('enough')),
    })
    await expect(stopped).rejects.toThrow('enough')
  })

  it('value: faces of a group, largest first, up to the number that is asked for', async () => {
    const found = await findFaces(photograph, quick)
    expect(found).toHaveLength(3)
    const areas = found.map(({ box }) => box.width * box.height)
    expect(areas).toEqual(areas.toSorted((a, b) => b - a))
    const faces = await reconstructAll(photograph, { ...quick, iterations: 0, most: 2 })
    expect(faces.map(({ parameters }) => parameters.face)).toEqual([1, 2])
    expect(faces[0].parameters.box.x).not.toBeCloseTo(faces[1].parameters.box.x, 0)
    for (const one of faces) one.dispose()
    await expect(faces[0].render({ width: 16 })).rejects.toThrow(/disposed/)
  })
})
