import { ShapeError } from '@facekit/core'
import { encodeGlb, meshNormals, type GlbOptions, type MorphTarget } from '@facekit/export'
import { WebIO } from '@gltf-transform/core'
import { ALL_EXTENSIONS } from '@gltf-transform/extensions'
import { validateBytes } from 'gltf-validator'
import { Mesh } from 'three'
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js'
import { describe, expect, it } from 'vitest'
import { createDome } from './dome.js'

const reader = new WebIO().registerExtensions(ALL_EXTENSIONS)

/** Without UV: colours of vertices, no maps to make. */
function encodeRig(
  dome: ReturnType<typeof createDome>,
  moved: readonly MorphTarget[],
  options: GlbOptions = {},
): Promise<Uint8Array> {
  const { uv: _, ...mesh } = dome
  return encodeGlb(mesh, { ...options, targets: moved })
}

function targets() {
  const size = createDome().vertices.length
  return [
    { name: 'jawOpen', offsets: Float32Array.from({ length: size }, (_, i) => Math.sin(i) * 5) },
    { name: 'blink', offsets: Float32Array.from({ length: size }, (_, i) => (i > 30 && i < 60 ? 2 : 0)) },
    { name: 'still', offsets: new Float32Array(size) },
  ]
}

describe('encodeGlb with targets', () => {
  it('value: the Khronos validator finds no fault', async () => {
    const bytes = await encodeRig(createDome(), targets(), { name: 'me', extras: { licence: 'MIT' } })
    const { issues } = await validateBytes(bytes)
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
    expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0])
  })

  it('value: targets have their names and offsets in metres, on face and mouth', async () => {
    const dome = createDome()
    const bytes = await encodeRig(dome, targets())
    const [mesh] = (await reader.readBinary(bytes)).getRoot().listMeshes()
    expect(mesh.getExtras()).toEqual({ targetNames: ['jawOpen', 'blink', 'still'] })
    expect(mesh.getWeights()).toEqual([0, 0, 0])
    for (const primitive of mesh.listPrimitives()) {
      const found = primitive.listTargets()
      expect(found).toHaveLength(3)
      const [jaw, blink] = found.map((target) => target.getAttribute('POSITION')!)
      expect(jaw.getElement(3, [])[1]).toBeCloseTo((Math.sin(10) * 5) / 1000, 4)
      for (const value of blink.getElement(11, [])) expect(Math.abs(value - 0.002)).toBeLessThan(1.6e-5)
      expect(blink.getElement(40, [])).toEqual([0, 0, 0])
    }
    // Sparse: the second takes less room than the first.
    const more = await encodeRig(dome, [targets()[0], targets()[0]])
    expect(bytes.length).toBeLessThan(more.length + 8000)
  })

  it.each([
    ['float32', 0.02],
    ['quantized', 2.5],
  ] as const)(
    'value: with %s, normals at rest and moved are those of the moved mesh',
    async (precision, degrees) => {
      const dome = createDome()
      // Targets that turn normals by less than 60 degrees, as 8 bits need it.
      const gentle = targets().map(({ name, offsets }) => ({
        name,
        offsets: offsets.map((value) => value / 8),
      }))
      const bytes = await encodeRig(dome, gentle, { precision })
      const [mesh] = (await reader.readBinary(bytes)).getRoot().listMeshes()
      const normalsOf = (offsets: Float32Array) =>
        meshNormals(
          dome.vertices.map((value, i) => value + offsets[i]),
          dome.triangles,
        )
      for (const primitive of mesh.listPrimitives()) {
        const rest = primitive.getAttribute('NORMAL')!
        for (const [k, { offsets }] of gentle.entries()) {
          const change = primitive.listTargets()[k].getAttribute('NORMAL')!
          const expected = normalsOf(offsets)
          for (let v = 0; v < 576; v++) {
            const found = rest.getElement(v, []).map((value, c) => value + change.getElement(v, [])[c])
            const off = Math.hypot(
              ...found.map((value, c) => value / Math.hypot(...found) - expected[v * 3 + c]),
            )
            expect(off).toBeLessThan(degrees * (Math.PI / 180) + 1e-6)
          }
        }
      }
    },
  )

  it('value: weights say how the face is shown at first', async () => {
    const bytes = await encodeRig(createDome(), targets(), { weights: [0.25, 0, 1] })
    const [mesh] = (await reader.readBinary(bytes)).getRoot().listMeshes()
    expect(mesh.getWeights()).toEqual([0.25, 0, 1])
  })

  it('value: the mouth is dark, whatever the skin beside it', async () => {
    const bytes = await encodeRig(createDome(), targets())
    const [mesh] = (await reader.readBinary(bytes)).getRoot().listMeshes()
    const [skin, mouth] = mesh.listPrimitives()
    expect(skin.getAttribute('COLOR_0')).not.toBeNull()
    expect(mouth.getAttribute('COLOR_0')).toBeNull()
    const color = mouth.getMaterial()!.getBaseColorFactor()
    ;[0.02, 0.006, 0.006, 1].forEach((value, c) => expect(color[c]).toBeCloseTo(value, 6))
  })

  it('value: three.js reads names and offsets', async () => {
    const bytes = await encodeRig(createDome(), targets())
    const gltf = await new GLTFLoader().parseAsync(bytes.slice().buffer, '')
    const meshes: Mesh[] = []
    gltf.scene.traverse((object) => {
      if (object instanceof Mesh) meshes.push(object)
    })
    expect(meshes).toHaveLength(2)
    for (const { morphTargetDictionary, morphTargetInfluences, geometry } of meshes) {
      expect(morphTargetDictionary).toEqual({ jawOpen: 0, blink: 1, still: 2 })
      expect(morphTargetInfluences).toEqual([0, 0, 0])
      expect(geometry.morphTargetsRelative).toBe(true)
      expect(geometry.morphAttributes.normal).toHaveLength(3)
      expect(geometry.morphAttributes.position![0].getY(3)).toBeCloseTo((Math.sin(10) * 5) / 1000, 4)
      expect(geometry.morphAttributes.position![1].getX(11)).toBeCloseTo(0.002, 4)
    }
  })

  it('throws: numbers of weights, and offsets that are not finite', async () => {
    await expect(encodeRig(createDome(), targets(), { weights: [1] })).rejects.toThrow(
      /weights is \[1\], expected \[3\]/,
    )
    const broken = targets()
    broken[1].offsets[7] = Number.NaN
    await expect(encodeRig(createDome(), broken)).rejects.toThrow(/target blink has NaN at number 7/)
  })

  it('throws: a target of another mesh', async () => {
    const wrong = [{ name: 'a', offsets: new Float32Array(6) }]
    const failure = encodeRig(createDome(), wrong)
    await expect(failure).rejects.toThrow(ShapeError)
    await expect(failure).rejects.toThrow(/targets\[0\].offsets is \[6\], expected \[1728\]/)
  })
})
