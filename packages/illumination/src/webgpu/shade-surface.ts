import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { LIGHT, packLight, shadeForward } from './light.js'
import { BLOCK, diffuseBackward, lightGradient, specularBackward } from './light-gradient.js'

/** What is lit, and its light. */
export interface LitSurface {
  readonly diffuse: TensorInfo
  readonly specular: TensorInfo
  readonly normals: TensorInfo
  readonly positions: TensorInfo
  readonly sphericalHarmonics: TensorInfo
  readonly lightPosition: TensorInfo
  readonly lightColor: TensorInfo
  readonly shininess: TensorInfo
}

/** Numbers of pictures and of points of each. */
function sizesOf({ shape }: TensorInfo): { batch: number; points: number } {
  const [batch, ...rest] = shape.slice(0, -1)
  return { batch, points: rest.reduce((product, dimension) => product * dimension, 1) }
}

/** A buffer with the light of all pictures, and room for `blocks` more of each. */
function lightOf(
  backend: KernelBackend,
  { sphericalHarmonics, lightPosition, lightColor, shininess }: LitSurface,
  batch: number,
  blocks: number,
): TensorInfo {
  const work = makeGpuTensor(backend, [batch * (1 + blocks) * LIGHT], 'float32')
  runGpuProgram(backend, packLight, {
    inputs: [sphericalHarmonics, lightPosition, lightColor, shininess],
    outputs: [work],
    uniforms: [batch],
    workgroups: workgroupsFor(batch * LIGHT, 64),
  })
  return work
}

/** `shadeSurface` on WebGPU. */
export function shadeSurfaceOnGpu(
  backend: KernelBackend,
  surface: LitSurface,
  outputs: { readonly shaded: TensorInfo; readonly litDiffuse: TensorInfo },
  cameraPosition: readonly number[],
): void {
  const { diffuse, specular, normals, positions } = surface
  const { batch, points } = sizesOf(diffuse)
  const work = lightOf(backend, surface, batch, 0)
  runGpuProgram(backend, shadeForward, {
    inputs: [diffuse, specular, normals, positions, work],
    outputs: [outputs.shaded, outputs.litDiffuse],
    uniforms: [points, batch, ...cameraPosition],
    workgroups: workgroupsFor(batch * points, 64),
  })
  backend.disposeData(work.dataId)
}

/** Gradients of all inputs, from those of the outputs that somebody depends on. */
export function shadeSurfaceGradientOnGpu(
  backend: KernelBackend,
  surface: LitSurface,
  upstream: { readonly toShaded?: TensorInfo; readonly toLitDiffuse?: TensorInfo },
  gradients: LitSurface,
  cameraPosition: readonly number[],
): void {
  const { diffuse, specular, normals, positions } = surface
  const { toShaded, toLitDiffuse } = upstream
  const { batch, points } = sizesOf(diffuse)
  const blocks = Math.ceil(points / BLOCK)
  const flags = (toShaded ? 1 : 0) | (toLitDiffuse ? 2 : 0)
  const work = lightOf(backend, surface, batch, blocks)
  runGpuProgram(backend, diffuseBackward, {
    inputs: [diffuse, normals, toShaded, toLitDiffuse],
    outputs: [work, gradients.diffuse, gradients.normals],
    uniforms: [points, batch, flags],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, specularBackward, {
    inputs: [specular, normals, positions, toShaded],
    outputs: [work, gradients.specular, gradients.normals, gradients.positions],
    uniforms: [points, batch, flags, ...cameraPosition],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, lightGradient, {
    inputs: [work],
    outputs: [
      gradients.sphericalHarmonics,
      gradients.lightPosition,
      gradients.lightColor,
      gradients.shininess,
    ],
    uniforms: [batch, blocks],
    workgroups: [batch],
  })
  backend.disposeData(work.dataId)
}
