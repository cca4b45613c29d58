import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { LIGHT, packLight, shadeForward } from './gpu-light.js'
import { BLOCK, diffuseBackward, lightGradient, specularBackward } from './gpu-light-gradient.js'

interface Attributes {
  cameraPosition: readonly number[]
}

/** Numbers of points and pictures, and workgroups for each picture on the way back. */
function sizesOf({ shape }: TensorInfo): { batch: number; points: number; blocks: number } {
  const [batch, ...rest] = shape.slice(0, -1)
  const points = rest.reduce((product, dimension) => product * dimension, 1)
  return { batch, points, blocks: Math.ceil(points / BLOCK) }
}

/** `shadeSurface` on WebGPU: shaded, matt, and what the way back needs. */
export function shadeSurfaceOnGpu(
  backend: KernelBackend,
  [diffuse, specular, normals, positions, ...light]: TensorInfo[],
  { cameraPosition }: Attributes,
): TensorInfo[] {
  const { batch, points, blocks } = sizesOf(diffuse)
  const work = makeGpuTensor(backend, [batch * (1 + blocks) * LIGHT], 'float32')
  const shaded = makeGpuTensor(backend, [...diffuse.shape.slice(0, -1), 6], 'float32')
  const matt = makeGpuTensor(backend, diffuse.shape, 'float32')
  runGpuProgram(backend, packLight, {
    inputs: light,
    outputs: [work],
    uniforms: [batch],
    workgroups: workgroupsFor(batch * LIGHT, 64),
  })
  runGpuProgram(backend, shadeForward, {
    inputs: [diffuse, specular, normals, positions, work],
    outputs: [shaded, matt],
    uniforms: [points, batch, ...cameraPosition],
    workgroups: workgroupsFor(batch * points, 64),
  })
  return [shaded, matt, work]
}

/** Gradients of the first eight inputs, from those of shaded and matt, each of which may be empty. */
export function shadeSurfaceGradientOnGpu(
  backend: KernelBackend,
  [diffuse, specular, normals, positions, , , , , work, toShaded, toMatt]: TensorInfo[],
  { cameraPosition }: Attributes,
): TensorInfo[] {
  const { batch, points, blocks } = sizesOf(diffuse)
  const [toDiffuse, toSpecular, toNormals, toPositions] = [diffuse, specular, normals, positions].map(
    ({ shape }) => makeGpuTensor(backend, shape, 'float32'),
  )
  const light = [
    [batch, 9, 3],
    [batch, 3],
    [batch, 3],
    [batch, 1],
  ].map((shape) => makeGpuTensor(backend, shape, 'float32'))
  const flags = (toShaded.shape[0] > 0 ? 1 : 0) | (toMatt.shape[0] > 0 ? 2 : 0)
  runGpuProgram(backend, diffuseBackward, {
    inputs: [diffuse, normals, toShaded, toMatt],
    outputs: [work, toDiffuse, toNormals],
    uniforms: [points, batch, flags],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, specularBackward, {
    inputs: [specular, normals, positions, toShaded],
    outputs: [work, toSpecular, toNormals, toPositions],
    uniforms: [points, batch, flags, ...cameraPosition],
    workgroups: [blocks, batch],
  })
  runGpuProgram(backend, lightGradient, {
    inputs: [work],
    outputs: light,
    uniforms: [batch, blocks],
    workgroups: [batch],
  })
  return [toDiffuse, toSpecular, toNormals, toPositions, ...light]
}
