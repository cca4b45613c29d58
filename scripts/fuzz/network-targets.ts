import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createDenseNetwork,
  createFaceNet,
  createHourglass,
  createSegmenter,
  loadFaceNet,
  loadHourglass,
  loadSegmenter,
  openDenseNetwork,
  saveDenseNetwork,
  saveFaceNet,
  saveHourglass,
  saveSegmenter,
} from '@facekit/annotate'
import { readSafetensors, writeSafetensors } from '@facekit/core'
import { createRegressor, exportRegressor, loadRegressor, saveRegressor } from '@facekit/regressor'
import * as tf from '@tensorflow/tfjs-core'
import { tinyBackbone } from '../../packages/regressor/test/tiny-backbone.js'
import type { FuzzTarget, FuzzTargets } from './fuzz-target.js'

interface Disposable {
  dispose(): void
}

/** Files of networks: their weights, and the JSON in their headers that describes them. */
export async function networkTargets(): Promise<FuzzTargets> {
  await tf.setBackend('cpu')
  const folder = await mkdtemp(join(tmpdir(), 'facekit-fuzz-networks-'))
  process.on('exit', () => void rm(folder, { recursive: true, force: true }).catch(() => {}))
  const regressor = createRegressor({
    backbone: tinyBackbone,
    layout: { identity: 5, expression: 3, albedo: 4 },
    inputSize: 32,
    faceModel: 'mine',
    expressionRange: [0, 1],
  })
  await exportRegressor(regressor, folder)
  const networks: Record<string, [Uint8Array, (bytes: Uint8Array) => Promise<Disposable> | Disposable]> = {
    hourglass: [
      await saveHourglass(createHourglass({ inputSize: 32, stacks: 1, features: 8, depth: 1, landmarks: 5 })),
      (weights) => loadHourglass({ weights }),
    ],
    segmenter: [
      await saveSegmenter(createSegmenter({ inputSize: 16, widths: [2, 4], classes: 3 })),
      (weights) => loadSegmenter({ weights, trainable: true }),
    ],
    facenet: [
      await saveFaceNet(createFaceNet({ inputSize: 16, length: 4, widths: [2, 4], blocks: 1 })),
      (weights) => loadFaceNet(weights),
    ],
    dense: [
      await saveDenseNetwork(
        createDenseNetwork({ points: 3, outline: 2, identity: 2, inputSize: 32, width: 0.05 }),
      ),
      (weights) => openDenseNetwork(weights),
    ],
    regressor: [
      await saveRegressor(regressor),
      (weights) => loadRegressor(weights, { backbone: tinyBackbone }),
    ],
  }
  const targets: FuzzTargets = {
    'regressor-json': {
      files: [new Uint8Array(await readFile(join(folder, 'model.json')))],
      read: async (bytes) => {
        await writeFile(join(folder, 'model.json'), bytes)
        // Where tfjs fails to read layers, it keeps those that it has made: nothing is said of tensors.
        ;(await loadRegressor(join(folder, 'model.json'))).dispose()
      },
    },
  }
  for (const [name, [whole, load]] of Object.entries(networks)) {
    targets[`network-${name}`] = {
      files: [new Uint8Array(whole)],
      read: (bytes) => disposing(() => load(bytes)),
    }
    targets[`description-${name}`] = description(whole, load)
  }
  return targets
}

/** Damages what a file says of its network, and not its weights. */
function description(
  whole: Uint8Array,
  load: (bytes: Uint8Array) => Promise<Disposable> | Disposable,
): FuzzTarget {
  const { metadata, tensors } = readSafetensors(whole)
  const isJson = (text: string) => /^[[{]/.test(text)
  // As one JSON object: values of the header that are JSON texts themselves are objects in it.
  const values = Object.entries(metadata).map(([key, text]) => [key, isJson(text) ? JSON.parse(text) : text])
  return {
    files: [new TextEncoder().encode(JSON.stringify(Object.fromEntries(values)))],
    read: (bytes) => {
      let header: Record<string, unknown>
      try {
        header = (JSON.parse(new TextDecoder().decode(bytes)) ?? {}) as typeof header
      } catch {
        header = {}
      }
      const texts = Object.entries(header).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ])
      const file = writeSafetensors({ metadata: Object.fromEntries(texts), tensors: new Map(tensors) })
      return disposing(() => load(file))
    },
  }
}

async function disposing(load: () => Promise<Disposable> | Disposable): Promise<void> {
  const before = tf.memory().numTensors
  try {
    const network = await load()
    network.dispose()
  } finally {
    const left = tf.memory().numTensors - before
    // Thrown in the place of a typed error, so that it is seen.
    // oxlint-disable-next-line no-unsafe-finally
    if (left > 0) throw new Error(`${left} tensors are left behind`)
  }
}
