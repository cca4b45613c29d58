import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { replaceTypedKernel, type KernelInputs, type TypedKernel } from '../tfjs/typed-kernel.js'

/** The part of tfjs' `WebGPUBackend` that runs a program. */
interface ProgramBackend extends KernelBackend {
  runWebGPUProgram(program: object, inputs: TensorInfo[], dtype: 'float32'): TensorInfo
}

/** Replaces Sin and Cos of the WebGPU backend by ones that are right to about 1e-7. Those of WGSL may be off by 2^-11 (a software adapter's are), which moves the
 * vertices of a face that was turned by them by 0.03 mm.
 *
 * Angles are reduced by multiples of pi / 2, in three parts whose products are exact, and the rest goes into the polynomials of Cephes' `sinf` and `cosf`;
 * good up to some ten thousand radians.
 */
export function registerTrigonometry(): void {
  replaceTypedKernel('Sin', 'webgpu', () => trigonometricKernel(0))
  replaceTypedKernel('Cos', 'webgpu', () => trigonometricKernel(1))
}

function trigonometricKernel(quarters: 0 | 1): TypedKernel<KernelInputs<'x'>, unknown, ProgramBackend> {
  const name = quarters === 0 ? 'facekit_sin' : 'facekit_cos'
  return ({ inputs: { x }, backend }) => {
    const size = util.sizeFromShape(x.shape)
    const program = {
      variableNames: ['x'],
      workgroupSize: [64, 1, 1],
      dispatch: [Math.max(1, Math.ceil(size / 64)), 1, 1],
      dispatchLayout: { x: x.shape.map((_, i) => i) },
      outputShape: x.shape,
      shaderKey: name,
      size: true,
      constructor: { name },
      getUserCode: () => /* wgsl */ `
        fn main(index : i32) {
          if (index >= uniforms.size) { return; }
          let angle = f32(x[index]);
          let turns = round(angle * 0.63661977);
          let rest = ((angle - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.549789954891882e-8;
          let z = rest * rest;
          let sine = fma(fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1) * z, rest, rest);
          let cosine = fma(fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z, 4.166664568298827e-2) * z, z, fma(-0.5, z, 1.0));
          let quarter = (i32(turns) + ${quarters}) & 3;
          let value = select(sine, cosine, (quarter & 1) == 1);
          result[index] = select(value, -value, quarter >= 2);
        }`,
    }
    return backend.runWebGPUProgram(program, [x], 'float32')
  }
}
