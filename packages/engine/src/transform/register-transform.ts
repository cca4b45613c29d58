import { computeOnHost } from '@facekit/kernels'
import { replaceTypedKernel } from '../tfjs/typed-kernel.js'
import { transformArrays } from './transform-arrays.js'
import { transformedShape, type TransformAttributes, type TransformInputs } from './transform-geometry.js'
import { transformOnGpu } from './transform-program.js'

/** Replaces the kernel of `tf.image.transform` of a backend with host memory. The stock one of the CPU backend returns after the first
 * picture of a batch; that of WASM rounds differently. */
export function registerHostTransform(backendName: 'cpu' | 'wasm'): void {
  replaceTypedKernel<TransformInputs, TransformAttributes>('Transform', backendName, (stock) => (args) => {
    const { inputs, attrs, backend } = args
    const { image, transforms } = inputs
    const { dtype } = image
    if (dtype !== 'float32' && dtype !== 'int32') return stock(args)
    const shape = transformedShape(image, attrs)
    return computeOnHost(backend, [image, transforms], [{ shape, dtype }], ([pixels, numbers], [result]) =>
      transformArrays(pixels, numbers, result, image.shape, shape.slice(1, 3), transforms.shape[0], attrs),
    )[0]
  })
}

/** Replaces the kernel of `tf.image.transform` of the WebGPU backend, which reads behind the end where one transform is for all pictures. */
export function registerGpuTransform(): void {
  replaceTypedKernel<TransformInputs, TransformAttributes>('Transform', 'webgpu', (stock) => (args) => {
    const { inputs, attrs, backend } = args
    if (inputs.image.dtype !== 'float32') return stock(args)
    return transformOnGpu(backend, inputs.image, inputs.transforms, attrs)
  })
}
