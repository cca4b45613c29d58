import { type GpuProgram, gpuConstant, makeGpuTensor, runGpuProgram } from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { vertexTriangles } from './constants.js'
import { makeFootprints, type FootprintInfos } from './footprints.js'
import { reduceProgram } from './gather-reduce.js'
import { teamProgram } from './gather-team.js'
import { verticesFor, verticesProgram } from './gather-vertices.js'
import type { Gathering } from './gathering.js'

/* Contributor notes
 *
 * WGSL has no atomic float additions, and those of other languages give another sum in each run. So nothing is scattered
 * here: each vertex gathers, over its triangles in their order and over the pixels that show them in theirs, in float32. That is the same
 * sum in each run, of any magnitude, in one pass.
 *
 * The pixels of a triangle are found in the box of those that show it (footprints.ts). In a fine mesh most triangles are
 * seen at no pixel or at one. A large box is split into tasks of some rows each, which workgroups add up before (one task, one corner
 * of its triangle); the vertices then add the tasks' sums. A vertex of very many triangles is given to a workgroup, which shares them.
 * Should there be more tasks than places, which takes very many triangles that are seen here and there in large boxes, each
 * vertex is given to a workgroup, which looks through all of its boxes: slow, but the same sum in each run as well.
 */

/** The programs of a gathering, in the order in which they run. */
interface GatherPrograms {
  reduce: GpuProgram
  vertices: GpuProgram
  team: GpuProgram
}

/** Makes the programs of a gathering. */
export const gatherPrograms = (gathering: Gathering): GatherPrograms => ({
  reduce: reduceProgram(gathering),
  vertices: verticesProgram(gathering),
  team: teamProgram(gathering),
})

/** Runs a gathering over `[B, H, W]` indices.
 *
 * @param given - footprints of the indices; without them they are found
 */
export function gather(
  backend: KernelBackend,
  gathering: Gathering,
  programs: GatherPrograms,
  ids: TensorInfo,
  triangles: Int32Array,
  vertexCount: number,
  inputs: readonly TensorInfo[],
  uniforms: readonly number[],
  output: TensorInfo,
  given: Partial<FootprintInfos>,
): void {
  if (util.sizeFromShape(output.shape) === 0) return
  const { parts, sums, lanes } = gathering
  const [batch, height, width] = ids.shape
  const triangleCount = triangles.length / 3
  const known = given.boxes !== undefined && given.tasks !== undefined
  const { boxes, tasks } = known ? (given as FootprintInfos) : makeFootprints(backend, ids, triangleCount)
  const [capacity] = tasks.shape
  const records = makeGpuTensor(backend, [capacity * 3 * parts * sums], 'float32')
  const values = [batch, vertexCount, triangleCount, width, height, capacity, ...uniforms]
  runGpuProgram(backend, programs.reduce, {
    inputs: [boxes, tasks, ids, ...inputs],
    outputs: [records],
    uniforms: values,
    // A large box has more pixels than that.
    workgroups: [Math.min(512, Math.ceil((batch * height * width) / 128)), 3, parts],
  })
  const gathered = {
    inputs: [gpuConstant(backend, vertexTriangles(triangles, vertexCount)), boxes, ids, records, ...inputs],
    outputs: [output],
    uniforms: values,
  }
  const items = lanes > 1 ? 1 : batch
  runGpuProgram(backend, programs.vertices, {
    ...gathered,
    workgroups: [Math.ceil(vertexCount / verticesFor(lanes)), items, parts],
  })
  runGpuProgram(backend, programs.team, {
    ...gathered,
    workgroups: [Math.min(512, Math.ceil((vertexCount * items) / 64)), 1, parts],
  })
  for (const { dataId } of known ? [records] : [boxes, tasks, records]) backend.disposeData(dataId)
}
