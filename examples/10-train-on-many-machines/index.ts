// Several processes, on one machine or on many, train one network together: each renders its share of the faces, gradients and the statistics of
// batch normalisation are those of all of them.
//   mpiexec -n 2 node --conditions=@facekit/source --import tsx examples/10-train-on-many-machines/index.ts
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { createRegressor, mobileBackbone } from '@facekit/regressor'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { openMpi, renderedBatches, train, type GradientReducer } from '@facekit/trainer'

/** Settings of `trainTogether`. */
export interface TrainTogetherOptions {
  model: MorphableModel
  /** Of `openMpi`; none in a process that was started alone. */
  reducer?: GradientReducer
  /** Faces in an iteration, of all processes together. */
  faces?: number
  iterations?: number
  size?: number
  folder?: string
}

/** Trains, and gives the loss of each iteration: the same for any number of processes. */
export async function trainTogether(options: TrainTogetherOptions): Promise<number[]> {
  const { model, reducer, faces = 16, iterations = 50, size = 64, folder } = options
  const place = { rank: reducer?.rank ?? 0, size: reducer?.size ?? 1 }
  // 1. The same network in each process: the seed sees to it.
  const regressor = createRegressor({
    backbone: mobileBackbone({ width: 0.2, features: 64 }),
    layout: model.layout,
    inputSize: size,
    ...(model.shape.expressionRange && { expressionRange: model.shape.expressionRange }),
    seed: 1,
  })
  // 2. A share of the faces for each.
  const batch = faces / place.size
  const synthesizer = createFaceSynthesizer(model, { size, batch, seed: 1 })
  const rendered = renderedBatches(synthesizer, { ...place, batch })
  // 3. The training: the reducer does the rest. The process of rank 0 writes the folder.
  const losses: number[] = []
  await train({
    regressor,
    model,
    rendered,
    iterations,
    learningRate: 1e-3,
    clipNorm: 20,
    ...(reducer && { reducer }),
    ...(folder !== undefined && { folder, resume: 'auto' }),
    onProgress: ({ loss }) => void losses.push(loss),
  })
  synthesizer.dispose()
  regressor.dispose()
  return losses
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [iterations = '50', size = '64', faces = '16'] = process.argv.slice(2)
  const reducer = await openMpi()
  await initEngine({ backend: 'wasm', threads: 1 })
  const model = await loadBaseModel()
  const losses = await trainTogether({
    model,
    ...(reducer && { reducer }),
    iterations: Number(iterations),
    size: Number(size),
    faces: Number(faces),
  })
  if (!reducer || reducer.rank === 0)
    console.log(
      JSON.stringify({
        processes: reducer?.size ?? 1,
        losses: losses.map((loss) => Number(loss.toPrecision(5))),
      }),
    )
  reducer?.close()
  process.exit(0)
}
