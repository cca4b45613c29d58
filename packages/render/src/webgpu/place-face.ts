import { type GpuProgram, gpuConstant, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { ringBackward, ringNormals, unscaleNormals } from '@facekit/mesh'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { chooseLandmarks, clear, landmarksBackward } from './landmarks.js'
import { BLOCK, POSE, POSE_SUMS, packPose, placeBackward, placeVertices, poseGradient } from './pose.js'
import type { Placement } from '../place-face.js'

/** Runs programs with one invocation for each of `threads`. */
const launcher =
  (backend: KernelBackend) =>
  (
    program: GpuProgram,
    threads: number,
    inputs: TensorInfo[],
    outputs: TensorInfo[],
    uniforms: readonly number[],
  ) => {
    const workgroups = workgroupsFor(threads, 64)
    runGpuProgram(backend, program, { inputs, outputs, uniforms, workgroups })
  }

/** `placeFace` on WebGPU: vertices, clip space, normals, landmarks, and what the way back needs: lengths of the normals, the chosen
 * vertices, the poses. */
export function placeFaceOnGpu(
  backend: KernelBackend,
  [shape, rotation, translation, scale]: TensorInfo[],
  { rings, tables, jaw, matrix, width, height }: Placement,
): TensorInfo[] {
  const [batch, count] = shape.shape
  const run = launcher(backend)
  const make = (...dimensions: number[]) => makeGpuTensor(backend, dimensions, 'float32')
  const poses = make(batch, POSE)
  run(packPose, batch, [rotation, translation, scale], [poses], [batch])
  const [vertices, clip] = [make(batch, count, 3), make(batch, count, 4)]
  run(placeVertices, batch * count, [shape, poses], [vertices, clip], [count, batch, ...matrix])
  const [normals, lengths] = [make(batch, count, 3), make(batch, count)]
  run(ringNormals, batch * count, [vertices, gpuConstant(backend, rings)], [normals, lengths], [count, batch])
  const { landmarkCount, candidates } = tables
  const pixels = make(batch, landmarkCount, 2)
  const chosen = makeGpuTensor(backend, [batch, landmarkCount], 'int32')
  run(
    chooseLandmarks,
    batch * landmarkCount,
    [clip, gpuConstant(backend, candidates), rotation],
    [pixels, chosen],
    [count, batch, landmarkCount, jaw, width, height],
  )
  return [vertices, clip, normals, pixels, lengths, chosen, poses]
}

/** Gradients of shape, rotation, translation and scale, from those of the first four outputs, each of which may be empty. */
export function placeFaceGradientOnGpu(
  backend: KernelBackend,
  inputs: TensorInfo[],
  { rings, tables, matrix, width, height }: Placement,
): TensorInfo[] {
  const [shape, rotation, translation, scale, vertices, clip, normals, lengths, chosen, poses] = inputs
  const [toVertices, toClip, toNormals, toLandmarks] = inputs.slice(10)
  const [batch, count] = shape.shape
  const given = (gradient: TensorInfo) => gradient.shape[0] > 0
  const run = launcher(backend)
  const like = (info: TensorInfo) => makeGpuTensor(backend, info.shape, 'float32')
  const ringed = given(toNormals) || given(toLandmarks)
  // What reaches the vertices by way of the normals and of the landmarks.
  const toRing = makeGpuTensor(backend, ringed ? shape.shape : [1], 'float32')
  if (given(toNormals)) {
    const unscaled = like(shape)
    run(unscaleNormals, batch * count, [toNormals, normals, lengths], [unscaled], [batch * count])
    run(
      ringBackward,
      batch * count,
      [vertices, gpuConstant(backend, rings), unscaled],
      [toRing],
      [count, batch],
    )
    backend.disposeData(unscaled.dataId)
  } else if (ringed) {
    run(clear, 3 * batch * count, [], [toRing], [3 * batch * count])
  }
  if (given(toLandmarks)) {
    const { landmarkCount, vertexCount, vertices: used } = tables
    run(
      landmarksBackward,
      batch * vertexCount,
      [clip, gpuConstant(backend, used), chosen, toLandmarks],
      [toRing],
      [count, batch, landmarkCount, vertexCount, width, height, ...matrix],
    )
  }
  const blocks = Math.ceil(count / BLOCK)
  const sums = makeGpuTensor(backend, [batch, blocks, POSE_SUMS], 'float32')
  const [toShape, toRotation, toTranslation, toScale] = [shape, rotation, translation, scale].map(like)
  const flags = (given(toClip) ? 1 : 0) | (given(toVertices) ? 2 : 0) | (ringed ? 4 : 0)
  runGpuProgram(backend, placeBackward, {
    inputs: [shape, poses, toClip, toVertices, toRing],
    outputs: [toShape, sums],
    uniforms: [count, flags, ...matrix],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, poseGradient, {
    inputs: [sums, rotation, poses],
    outputs: [toRotation, toTranslation, toScale],
    uniforms: [blocks],
    workgroups: [batch],
  })
  for (const { dataId } of [toRing, sums]) backend.disposeData(dataId)
  return [toShape, toRotation, toTranslation, toScale]
}
