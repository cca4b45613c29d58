import { labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { normalsOf } from './ambient-light.js'
import { earPart, mouthParts, neckPart } from './body-parts.js'
import { maskPart, scarfPart } from './cloth-parts.js'
import { faceRim } from './face-rim.js'
import { glassesParts } from './glasses-part.js'
import { hairStyles, hatStyles } from './hair-styles.js'
import { lashPart } from './lash-part.js'
import { hasEars } from './has-ears.js'
import { hashSeed } from '../sample/hash-seed.js'
import { HEAD_CENTER, headPart } from './head-part.js'
import { labelFace } from '../render/label-face.js'
import type { Host, MeshPart } from './mesh-part.js'
import { brimPart, handPart, objectPart } from './occluder-parts.js'
import { SceneBuilder, type SceneModel } from './scene-model.js'
import { shellGrid, type ShellGrid } from './shell-grid.js'

/** How many versions there are of what comes in versions. */
export const VERSIONS = { hair: 72, hat: 24, brim: 12, glasses: 40, hand: 32, object: 40 } as const

/** What comes in versions, as tables of numbers. */
export interface SceneLibrary {
  grid: ShellGrid
  /** `[versions * V]` mm over the head. */
  hair: Float32Array
  hat: Float32Array
  /** `[versions * n * 3]` mm. */
  brim: Float32Array
  frame: Float32Array
  lenses: Float32Array
  hand: Float32Array
  object: Float32Array
}

interface BuiltScene {
  scene: SceneModel
  library: SceneLibrary
}

const built = new WeakMap<MorphableModel, Map<number, BuiltScene>>()

/** Everything that can be seen around a face model: the same for the same seed. Made once for a model, as it takes seconds. */
export function buildScene(model: MorphableModel, seed: number): BuiltScene {
  const scenes = built.get(model) ?? new Map<number, BuiltScene>()
  built.set(model, scenes)
  const known = scenes.get(seed)
  if (known) return known
  const result = makeScene(model, seed)
  scenes.set(seed, result)
  return result
}

function makeScene(model: MorphableModel, seed: number): BuiltScene {
  const builder = new SceneBuilder(model, labelFace(model), labelOf('mouth'))
  const rim = faceRim(model)
  builder.add(headPart(model, rim))
  const covered = Float32Array.from(builder.positions)
  const grid = shellGrid(covered)
  if (!hasEars(model)) builder.add(earPart(model, 1)).add(earPart(model, -1))
  builder.add(neckPart(model))
  for (const part of mouthParts(model)) builder.add(part)
  for (const name of ['hair', 'hat'] as const) builder.add(shellPart(name, grid))
  builder
    .add(maskPart(model, normalsOf(model.shape.mean.data, model.triangles)))
    .add(scarfPart())
    .add(lashPart(model))
  const brim = brimPart(VERSIONS.brim, hashSeed(seed, 3))
  const glasses = glassesParts(model, VERSIONS.glasses, hashSeed(seed, 4))
  const hand = handPart(VERSIONS.hand, hashSeed(seed, 5))
  const object = objectPart(VERSIONS.object, hashSeed(seed, 6))
  const brimHost: Host = {
    vertices: [model.landmarks[0], model.landmarks[16], model.landmarks[27]],
    weights: [0.3, 0.3, 0.4],
    identity: 1,
    expression: 0,
  }
  const hosts = Array.from({ length: brim.part.positions.length / 3 }, () => brimHost)
  builder.add({ ...brim.part, hosts })
  for (const part of [glasses.frame, glasses.lenses, hand.part, object.part]) builder.add(part)
  return {
    scene: builder.build(rim),
    library: {
      grid,
      hair: hairStyles(grid, VERSIONS.hair, hashSeed(seed, 1)),
      hat: hatStyles(grid, VERSIONS.hat, hashSeed(seed, 2)),
      brim: brim.versions,
      frame: glasses.frameMakes,
      lenses: glasses.lensMakes,
      hand: hand.versions,
      object: object.versions,
    },
  }
}

/** Hair or a hat, as thick as nothing: its surface is that of the head. */
function shellPart(name: 'hair' | 'hat', grid: ShellGrid): MeshPart {
  const positions = grid.directions.map(
    (value, i) => HEAD_CENTER[i % 3] + value * grid.radius[Math.floor(i / 3)],
  )
  return {
    name,
    layer: 'hair',
    material: name,
    positions,
    triangles: grid.triangles,
    label: labelOf(name),
    uv: grid.uv,
    hosts: Array.from(grid.nearest, (vertex) => ({
      vertices: [vertex],
      weights: [1],
      identity: 1,
      expression: 0.5,
    })),
  }
}
