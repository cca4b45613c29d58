import { bakeFaceTextures, encodeGlb, encodeShading, faceCapture, type FaceMesh } from '@facekit/export'
import ndarray from 'ndarray'

/** The front of a ball of 90 mm on a grid of 24 x 24 vertices: enough of a face for a test. */
export function createDome(): FaceMesh & { vertices: Float32Array } {
  const rows = 24
  const count = rows * rows
  const vertices = new Float32Array(3 * count)
  const uv = new Float32Array(2 * count)
  const uncertainty = new Float32Array(count)
  const triangles: number[] = []
  for (let i = 0; i < count; i++) {
    const [s, t] = [(i % rows) / (rows - 1), Math.floor(i / rows) / (rows - 1)]
    const [a, b] = [(s - 0.5) * 2.4, (t - 0.5) * 2.4]
    vertices.set([90 * Math.sin(a) * Math.cos(b), 90 * Math.sin(b), 90 * Math.cos(a) * Math.cos(b)], 3 * i)
    uv.set([s, t], 2 * i)
    uncertainty[i] = 5 * s
    if (i % rows < rows - 1 && i < count - rows)
      triangles.push(i, i + 1, i + rows, i + 1, i + rows + 1, i + rows)
  }
  const diffuse = Float32Array.from({ length: 3 * count }, (_, i) => [0.45, 0.3, 0.24][i % 3])
  const specular = new Float32Array(3 * count).fill(0.04)
  return {
    vertices,
    triangles: Int32Array.from(triangles),
    uv,
    diffuse,
    specular,
    uncertainty,
    shininess: 30,
  }
}

/** A dome that says how it was photographed: half of its light is missing on the left. */
async function shadedFace(): Promise<Uint8Array> {
  const dome = createDome()
  const [left, right] = [Array(3 * 2).fill(0.5), Array(3 * 2).fill(1)]
  const shading = encodeShading(ndarray(Float32Array.from([...left, ...right]), [1, 4, 3]))
  const textures = { ...bakeFaceTextures(dome, { size: 32 }), shading }
  const capture = faceCapture(
    {
      camera: { fieldOfView: 0.22, distance: 1000, projection: 'perspective' },
      illumination: {
        sphericalHarmonics: Array.from({ length: 27 }, (_, i) => (i < 3 ? 3 : 0)),
        lightPosition: [0, 0, 900],
        lightColor: [0, 0, 0],
        shininess: 30,
      },
    },
    { textures },
  )
  return encodeGlb(dome, { textures, capture })
}

/** Files that the tests serve, by name. */
export async function createFiles(): Promise<Record<string, Uint8Array>> {
  const dome = createDome()
  const face = await encodeGlb(dome, { size: 64 })
  const offsets = dome.vertices.map((value, i) => (i % 3 === 1 ? -0.4 * value : 0))
  const { uncertainty: _, ...plain } = dome
  const text = (value: unknown) => {
    const json = new TextEncoder().encode(JSON.stringify(value).padEnd(400))
    const bytes = new Uint8Array(20 + json.length)
    new Uint32Array(bytes.buffer, 0, 5).set([0x46546c67, 2, bytes.length, json.length, 0x4e4f534a])
    bytes.set(json, 20)
    return bytes
  }
  return {
    'face.glb': face,
    'shaded.glb': await shadedFace(),
    'morph.glb': await encodeGlb(plain, { size: 64, targets: [{ name: 'jawOpen', offsets }] }),
    'short.glb': face.subarray(0, face.length - 100),
    'text.glb': new TextEncoder().encode('<!doctype html><title>Not found</title>'),
    'outside.glb': text({
      asset: { version: '2.0' },
      buffers: [{ uri: 'https://example.org/a.bin', byteLength: 4 }],
    }),
    'huge.glb': text({
      asset: { version: '2.0' },
      accessors: [{ count: 4e9, type: 'VEC3', componentType: 5126 }],
    }),
    'draco.glb': text({ asset: { version: '2.0' }, extensionsRequired: ['KHR_draco_mesh_compression'] }),
    'empty.glb': text({ asset: { version: '2.0' }, scenes: [{ nodes: [] }], scene: 0 }),
  }
}
