import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'

/** What is seen at each pixel centre. */
export interface Fragments {
  /** `[B, H, W]` int32 index of the nearest triangle, -1 for background. No gradient. */
  triangleIds: Tensor3D
  /** `[B, H, W, 3]` perspective-correct barycentrics in the order of the triangle's vertices, 0 on background. */
  barycentrics: Tensor4D
  /** `[B, H, W, 1]` z / w, -1 at the near and 1 at the far plane; 1 on background. No gradient. */
  depth: Tensor4D
}

/** Where each triangle is seen, which gradients on WebGPU gather by; empty elsewhere. See the notes in webgpu/footprints.ts. */
export interface Footprints {
  boxes: Tensor
  tasks: Tensor
}

const known = new WeakMap<Tensor, Footprints>()

/** Keeps the footprints of fragments that were made while a gradient was recorded. They belong to the scope of the recording. */
export function rememberFootprints({ triangleIds }: Fragments, footprints: Footprints): void {
  known.set(triangleIds, footprints)
}

/** The footprints of fragments with these indices, if they are still there. */
export function footprintsOf(triangleIds: Tensor): Footprints | undefined {
  const footprints = known.get(triangleIds)
  return footprints?.boxes.isDisposed === false ? footprints : undefined
}
