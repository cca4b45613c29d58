import { type GpuProgram, gpuConstant, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { ringBackward, ringNormals, unscaleNormals } from '@facekit/mesh'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { chooseLandmarks, clear, landmarksBackward } from './landmarks.js'
import { BLOCK, POSE_SUMS, packPose, placeBackward, placeVertices, poseGradient } from './pose.js'
import { placementOf, type View } from './placement.js'

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

interface PlaceInputs {
  readonly shape: TensorInfo
  readonly rotation: TensorInfo
  readonly translation: TensorInfo
  readonly scale: TensorInfo
}

/** What is made of a placed face, beside its landmarks. */
interface PlacedFace {
  readonly vertices: TensorInfo
  readonly clip: TensorInfo
  readonly normals: TensorInfo
  /** For the backward pass: lengths of the normals, the chosen vertices, the poses. */
  readonly lengths: TensorInfo
  readonly chosen: TensorInfo
  readonly poses: TensorInfo
}

/** `placeFace` on WebGPU. */
export function placeFaceOnGpu(
  backend: KernelBackend,
  { shape, rotation, translation, scale }: PlaceInputs,
  outputs: PlacedFace & { readonly landmarks: TensorInfo },
  view: View,
): void {
  const { rings, tables, jaw, matrix } = placementOf(view)
  const { vertices, clip, normals, landmarks, lengths, chosen, poses } = outputs
  const [batch, count] = shape.shape
  const run = launcher(backend)
  run(packPose, batch, [rotation, translation, scale], [poses], [batch])
  run(placeVertices, batch * count, [shape, poses], [vertices, clip], [count, batch, ...matrix])
  run(ringNormals, batch * count, [vertices, gpuConstant(backend, rings)], [normals, lengths], [count, batch])
  const { landmarkCount, candidates } = tables
  run(
    chooseLandmarks,
    batch * landmarkCount,
    [clip, gpuConstant(backend, candidates), rotation],
    [landmarks, chosen],
    [count, batch, landmarkCount, jaw, view.width, view.height],
  )
}

/** Gradients of the outputs that somebody depends on. */
interface Upstream {
  readonly toVertices?: TensorInfo | undefined
  readonly toClip?: TensorInfo | undefined
  readonly toNormals?: TensorInfo | undefined
  readonly toLandmarks?: TensorInfo | undefined
}

/** Gradients of shape, rotation, translation and scale. */
export function placeFaceGradientOnGpu(
  backend: KernelBackend,
  inputs: PlaceInputs & PlacedFace & Upstream,
  gradients: PlaceInputs,
  view: View,
): void {
  const { rings, tables, matrix } = placementOf(view)
  const { shape, rotation, vertices, clip, normals, lengths, chosen, poses } = inputs
  const { toVertices, toClip, toNormals, toLandmarks } = inputs
  const [batch, count] = shape.shape
  const run = launcher(backend)
  const ringed = toNormals !== undefined || toLandmarks !== undefined
  // What reaches the vertices by way of the normals and of the landmarks.
  const toRing = makeGpuTensor(backend, ringed ? shape.shape : [1], 'float32')
  if (toNormals) {
    const unscaled = makeGpuTensor(backend, shape.shape, 'float32')
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
  if (toLandmarks) {
    const { landmarkCount, vertexCount, vertices: used } = tables
    run(
      landmarksBackward,
      batch * vertexCount,
      [clip, gpuConstant(backend, used), chosen, toLandmarks],
      [toRing],
      [count, batch, landmarkCount, vertexCount, view.width, view.height, ...matrix],
    )
  }
  const blocks = Math.ceil(count / BLOCK)
  const sums = makeGpuTensor(backend, [batch, blocks, POSE_SUMS], 'float32')
  const flags = (toClip ? 1 : 0) | (toVertices ? 2 : 0) | (ringed ? 4 : 0)
  runGpuProgram(backend, placeBackward, {
    inputs: [shape, poses, toClip, toVertices, toRing],
    outputs: [gradients.shape, sums],
    uniforms: [count, flags, ...matrix],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, poseGradient, {
    inputs: [sums, rotation, poses],
    outputs: [gradients.rotation, gradients.translation, gradients.scale],
    uniforms: [blocks],
    workgroups: [batch],
  })
  for (const { dataId } of [toRing, sums]) backend.disposeData(dataId)
}
