import { readMatFile, readSafetensors } from '@facekit/core'
import { parseObj, parsePly } from '@facekit/mesh'
import { describeHdf5, readArrayModel, validateModel } from '@facekit/morphable'
import { encodeMatFile, writeStatismo } from '@facekit/testing'
import { checkGlb } from '../../packages/viewer/src/check-glb.js'
import { fuzzTargets } from '../../packages/morphable/test/fuzz.js'
import type { FuzzTargets } from './fuzz-target.js'

const text = (value: string) => new TextEncoder().encode(value)

/** Face models in HDF5, whose library may not end over a damaged file. */
const HDF5 = ['basel', 'basel-compressed', 'albedo']
/** Seconds after which the thread that reads one is ended; as users have it, 30. */
const TIME_LIMIT = 5

/** Face models, meshes and what they are made of. */
export async function modelTargets(): Promise<FuzzTargets> {
  // In this process: it is watched from outside, and a worker for each file would take ten times as long. One that does not end is read in a worker.
  const [models, isolated] = [await fuzzTargets(false), await fuzzTargets(true)]
  const targets: FuzzTargets = {}
  for (const [name, { bytes, read }] of Object.entries(models)) {
    const valid = (reader: typeof read) => async (file: Uint8Array) => {
      const model = await reader(file)
      if (model) assertModel(model)
    }
    targets[`model-${name}`] = {
      files: [bytes],
      read: valid(read),
      ...(HDF5.includes(name) && { isolated: valid(isolated[name].read) }),
    }
  }
  const variables = [
    { name: 'mean', shape: [6, 1] as const, values: [1, 2, 3, 4, 5, 6] },
    {
      name: 'basis',
      shape: [6, 40] as const,
      values: Array.from({ length: 240 }, (_, i) => i),
      single: true,
    },
  ]
  const hdf5 = await writeStatismo(await plainStatismo())
  // MATLAB 7.3: HDF5 behind a block of text.
  const matlab = new Uint8Array(512 + hdf5.length)
  matlab.set(text('MATLAB 7.3 MAT-file'))
  matlab.set(hdf5, 512)
  return {
    ...targets,
    safetensors: {
      files: [models.facekit.bytes, models['foreign-safetensors'].bytes],
      read: (bytes) => {
        let length = 0
        for (const { data } of readSafetensors(bytes).tensors.values()) length += data.byteLength
        if (length > 4 * bytes.length) throw new Error(`${length} bytes of tensors from ${bytes.length}`)
      },
    },
    'mat-5': {
      files: [encodeMatFile(variables), encodeMatFile(variables, { compressed: false, little: false })],
      read: (bytes) => readMatFile(bytes),
    },
    'mat-7.3': {
      files: [matlab],
      read: (bytes) => describeHdf5(bytes, { isolate: false }),
      isolated: (bytes) => describeHdf5(bytes, { timeLimit: TIME_LIMIT }),
    },
    pickle: {
      // A list of two numbers, in two versions of the protocol: read as data, and no model. (A face as Python pickles it is `model-pickle`.)
      files: [
        Uint8Array.of(0x80, 2, 0x5d, 0x71, 0, 0x28, 0x4b, 1, 0x4b, 2, 0x65, 0x2e),
        Uint8Array.of(0x80, 4, 0x95, 8, 0, 0, 0, 0, 0, 0, 0, 0x5d, 0x94, 0x28, 0x4b, 1, 0x4b, 2, 0x65, 0x2e),
      ],
      read: async (bytes) => {
        await readArrayModel(bytes)
        throw new Error('a model came out of a list')
      },
    },
    ply: {
      files: [
        text(
          'ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n',
        ),
        binaryPly(),
      ],
      read: (bytes) => assertMesh(parsePly(bytes, 'ply')),
    },
    glb: {
      files: [tinyGlb()],
      read: (bytes) => checkGlb(bytes.slice().buffer),
    },
    obj: {
      files: [
        text(
          '# a mesh\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\nf -3 -2 -1\n',
        ),
      ],
      read: (bytes) => assertMesh(parseObj(new TextDecoder().decode(bytes), 'obj')),
    },
  }
}

/** What `checkGlb` looks at. */
function tinyGlb(): Uint8Array {
  const json = text(
    JSON.stringify({
      accessors: [{ count: 3 }, { count: 6 }],
      buffers: [{ byteLength: 4 }],
      images: [{ mimeType: 'image/png' }],
      extensionsRequired: ['KHR_materials_specular'],
    }).padEnd(240),
  )
  const bytes = new Uint8Array(20 + json.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of [0x46546c67, 2, bytes.length, json.length, 0x4e4f534a].entries())
    view.setUint32(4 * i, value, true)
  bytes.set(json, 20)
  return bytes
}

function assertModel(model: Parameters<typeof validateModel>[0]): void {
  try {
    validateModel(model, 'fuzz')
  } catch (error) {
    throw new Error(`a model that is not valid: ${(error as Error).message}`, { cause: error })
  }
}

function assertMesh({ positions, polygons }: { positions: Float64Array; polygons: number[][] }): void {
  const count = positions.length / 3
  if (!positions.every(Number.isFinite)) throw new Error('a position that is not finite')
  for (const polygon of polygons) {
    if (!polygon.every((vertex) => Number.isInteger(vertex) && vertex >= 0 && vertex < count))
      throw new Error('a polygon of vertices that are not there')
  }
}

async function plainStatismo() {
  const { baselOf, drawnToTemplate } = await import('../../packages/morphable/test/face-files.js')
  const { createTinyFace } = await import('@facekit/testing')
  return baselOf(
    drawnToTemplate(createTinyFace({ rows: 21, columns: 17, identity: 1, expression: 1, albedo: 1 })),
  )
}

function binaryPly(): Uint8Array {
  const header = text(
    'ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty double y\nproperty short z\nelement face 1\nproperty list uchar uint vertex_index\nend_header\n',
  )
  const view = new DataView(new ArrayBuffer(3 * 14 + 13))
  for (let i = 0; i < 3; i++) {
    view.setFloat32(14 * i, i, true)
    view.setFloat64(14 * i + 4, i * i, true)
  }
  view.setUint8(42, 3)
  for (let i = 0; i < 3; i++) view.setUint32(43 + 4 * i, i, true)
  const bytes = new Uint8Array(header.length + view.byteLength)
  bytes.set(header)
  bytes.set(new Uint8Array(view.buffer), header.length)
  return bytes
}
