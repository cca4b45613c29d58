import { createRandom, FacekitError, writeSafetensors, type Random } from '@facekit/core'
import {
  decodeMorphableModel,
  encodeMorphableModel,
  readAlbedoModel,
  readArrayModel,
  readBaselFaceModel,
  readIctFaceKit,
  validateModel,
  type MorphableModel,
} from '@facekit/morphable'
import { createTinyFace, tinyIct, writeStatismo } from '@facekit/testing'
import { strToU8, zipSync } from 'fflate'
import { baselOf, drawnToTemplate, flameArrays } from './face-files.js'
import { pickleArrays } from './pickle.js'

/** A format: a whole file, and how it is read. */
export interface FuzzTarget {
  bytes: Uint8Array
  read: (bytes: Uint8Array) => Promise<MorphableModel | undefined>
}

/** What happened to mutated files. */
export interface FuzzResult {
  mutations: number
  /** Typed errors, and models that came out whole. */
  errors: number
  models: number
  /** What must not happen: other errors, and models that are not valid. */
  failures: string[]
  /** Answers that did not come in time. */
  hangs: number
  slowest: number
}

/** Seconds after which a read counts as hanging, and the worker gives up. */
const LIMIT = 6

/** Small whole files of every format that is read. */
export async function fuzzTargets(isolate = true): Promise<Record<string, FuzzTarget>> {
  const face = drawnToTemplate(
    createTinyFace({ rows: 21, columns: 17, identity: 2, expression: 2, albedo: 2 }),
  )
  const { landmarks, albedo, layout } = face
  const basel = baselOf(face)
  const options = { landmarks, crop: 'none', timeLimit: LIMIT, isolate } as const
  const part = (mean: Float32Array, basis: Float32Array) => ({ mean, basis, modes: layout.albedo })
  const arrays = flameArrays(face)
  const ict = tinyIct(face)
  const list = (data: ArrayLike<number>) => Array.from(data, (value) => Math.round(value * 1e4) / 1e4)
  return {
    basel: { bytes: await writeStatismo(basel), read: (bytes) => readBaselFaceModel(bytes, options) },
    'basel-compressed': {
      bytes: await writeStatismo({ ...basel, compress: true }),
      read: (bytes) => readBaselFaceModel(bytes, options),
    },
    albedo: {
      bytes: await writeStatismo({
        ...basel,
        parts: {
          '/diffuseAlbedo': part(albedo.diffuseMean.data, albedo.diffuse.data),
          '/specularAlbedo': part(albedo.specularMean.data, albedo.specular.data),
        },
      }),
      read: async (bytes) => {
        const read = await readAlbedoModel(bytes, { timeLimit: LIMIT, isolate })
        if (read.albedo.diffuse.shape[1] !== read.vertexCount) throw new Error('a part that is not whole')
        return undefined
      },
    },
    facekit: {
      bytes: encodeMorphableModel(face),
      read: (bytes) => Promise.resolve(decodeMorphableModel(bytes)),
    },
    npz: { bytes: zipSync(arrays, { level: 6 }), read: (bytes) => readArrayModel(bytes) },
    pickle: {
      bytes: pickleArrays({
        v_template: { shape: [face.vertexCount, 3], data: Float64Array.from(face.shape.mean.data) },
        f: { shape: [face.triangles.length / 3, 3], data: face.triangles },
        landmarks: { shape: [68], data: landmarks },
      }),
      read: (bytes) => readArrayModel(bytes),
    },
    'npz-stored': { bytes: zipSync(arrays, { level: 0 }), read: (bytes) => readArrayModel(bytes) },
    'foreign-safetensors': {
      bytes: writeSafetensors({
        metadata: { unit: 'mm' },
        tensors: new Map([
          ['v_template', { shape: [face.vertexCount, 3], data: face.shape.mean.data }],
          ['identity', { shape: [...face.shape.identity.shape], data: face.shape.identity.data }],
          ['faces', { shape: [face.triangles.length / 3, 3], data: face.triangles }],
          ['landmarks', { shape: [68], data: Int32Array.from(landmarks) }],
        ]),
      }),
      read: (bytes) => readArrayModel(bytes),
    },
    json: {
      bytes: strToU8(
        JSON.stringify({
          name: 'me',
          mean: list(face.shape.mean.data),
          identity: list(face.shape.identity.data.subarray(0, face.vertexCount * 3)),
          triangles: [...face.triangles],
          landmarks: [...landmarks],
        }),
      ),
      read: (bytes) => readArrayModel(bytes),
    },
    ict: {
      bytes: strToU8(ict.neutral),
      read: (bytes) => {
        const text = new TextDecoder().decode(bytes)
        return readIctFaceKit((name) =>
          Promise.resolve(name === 'generic_neutral_mesh.obj' ? text : ict.files(name)),
        )
      },
    },
  }
}

/** A damaged copy: bits, bytes, whole numbers, pieces lost, moved or doubled, the end cut off. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const at = (size = 1) => Math.floor(random.uniform() * Math.max(1, bytes.length - size + 1))
  const kind = Math.floor(random.uniform() * 9)
  if (kind === 0) return bytes.slice(0, at())
  if (kind === 1) {
    const [from, to] = [at(), at()].sort((a, b) => a - b)
    const cut = Math.min(to - from, 400)
    return concatenate(bytes.subarray(0, from), bytes.subarray(from + cut))
  }
  if (kind === 2) {
    const from = at()
    const piece = bytes.subarray(from, from + Math.floor(random.uniform() * 64))
    const to = at()
    return concatenate(bytes.subarray(0, to), piece, bytes.subarray(to))
  }
  const result = bytes.slice()
  const times = 1 + Math.floor(random.uniform() ** 2 * 12)
  // Structure lies at the start, where it lies together.
  const place = (size: number) =>
    random.uniform() < 0.5 ? at(size) : Math.floor(random.uniform() ** 4 * (bytes.length - size))
  for (let i = 0; i < times; i++) {
    if (kind <= 4) result[place(1)] ^= 1 << Math.floor(random.uniform() * 8)
    else if (kind === 5) result[place(1)] = Math.floor(random.uniform() * 256)
    else if (kind === 6) result[place(1)] = [0, 255, 127, 128][Math.floor(random.uniform() * 4)]
    else {
      const values = [0, 0xffffffff, 0x7fffffff, 0x80000000, 0x10000, 1, 0x40000000]
      const size = kind === 7 ? 4 : 8
      const view = new DataView(result.buffer)
      const position = place(size)
      const value = values[Math.floor(random.uniform() * values.length)]
      view.setUint32(position, value, true)
      if (size === 8) view.setUint32(position + 4, random.uniform() < 0.5 ? 0 : value, true)
    }
  }
  return result
}

function concatenate(...parts: Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

/** Reads so many damaged files. */
export async function fuzz(
  target: FuzzTarget,
  mutations: number,
  seed: number,
  onProgress: (done: number) => void = () => {},
): Promise<FuzzResult> {
  const random = createRandom(seed)
  const result: FuzzResult = { mutations, errors: 0, models: 0, failures: [], hangs: 0, slowest: 0 }
  for (let i = 0; i < mutations; i++) {
    const bytes = mutate(target.bytes, random)
    const started = performance.now()
    try {
      const model = await target.read(bytes)
      if (model) validateModel(model, 'fuzz')
      result.models++
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (error instanceof FacekitError && !message.startsWith('fuzz')) result.errors++
      else result.failures.push(`mutation ${i}: ${message}`)
      if (/no answer within/.test(message)) result.hangs++
    }
    result.slowest = Math.max(result.slowest, (performance.now() - started) / 1000)
    onProgress(i + 1)
  }
  return result
}
