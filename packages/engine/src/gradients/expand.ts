import { defineKernel, float32, type GpuProgram, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { mul, reshape, sum, tidy, type Tensor } from '@tensorflow/tfjs-core'
import { GROUP, GROUP_PARAMETERS, loadWidth, vectorType } from '../webgpu/columns.js'
import { reductionSteps, type ReducedShape } from './reduction-steps.js'

interface Attributes extends ReducedShape {
  factor: number
}

/** `[outer, inner]` to `[outer, size, inner]`, times a factor. */
const expandMiddle = defineKernel({
  name: 'FacekitExpand',
  inputs: { x: 'float32' },
  outputs: (_, { outer, size, inner }: Attributes) => ({ expanded: float32([outer, size, inner]) }),
  saves: ['x'],
  cpu: ({ x }, { expanded }, _, { outer, size, inner, factor }) => {
    if (inner === 1) {
      for (let o = 0; o < outer; o++) expanded.fill(x[o] * factor, o * size, (o + 1) * size)
      return
    }
    for (let o = 0, at = 0; o < outer; o++) {
      const start = at
      for (let i = 0; i < inner; i++, at++) expanded[at] = x[o * inner + i] * factor
      for (let s = 1; s < size; s++, at += inner) expanded.copyWithin(at, start, start + inner)
    }
  },
  webgpu: (backend, { x }, { expanded }, { outer, size, inner, factor }) => {
    const load = loadWidth(inner)
    // A row of one number is written four at a time, too.
    const run = inner === 1 ? loadWidth(size) : 1
    const columns = inner / load
    const count = (outer * size * columns) / run
    runGpuProgram(backend, program(load, run), {
      inputs: [x],
      outputs: [expanded],
      uniforms: [count, (size * columns) / run, columns, factor],
      workgroups: workgroupsFor(count, 256),
    })
  },
  gradient: ({ upstream, saved, attributes }) => ({
    x: () => reshape(mul(sum(upstream.expanded, 1), attributes.factor), saved.x.shape),
  }),
})

const program = (load: 1 | 4, run: 1 | 4): GpuProgram => ({
  name: `facekit_expand_${load}_${run}`,
  inputs: [`x: ${vectorType(load)}`],
  outputs: [`result: ${vectorType(run === 4 ? 4 : load)}`],
  uniforms: ['count: u32', 'block: u32', 'columns: u32', 'factor: f32'],
  code: /* wgsl */ `
    @compute @workgroup_size(256)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let index = group * 256u + local;
      if (index >= uniforms.count) { return; }
      let value = x[(index / uniforms.block) * uniforms.columns + index % uniforms.columns] * uniforms.factor;
      result[index] = ${run === 4 ? 'vec4<f32>(value)' : 'value'};
    }`,
})

/** Repeats a tensor along axes that were reduced, the gradient of a sum: `x` has the other axes, of size 1 or not at all where
 * there was one.
 *
 * @param shape - of the result
 * @param factor - numbers are multiplied by it
 */
export function expand(x: Tensor, shape: readonly number[], axes: readonly number[], factor: number): Tensor {
  return tidy(() => {
    const steps = reductionSteps(shape, axes).toReversed()
    let current: Tensor = x
    for (const [i, step] of steps.entries()) {
      current = expandMiddle({ x: current }, { ...step, factor: i === 0 ? factor : 1 })
    }
    return reshape(current, [...shape])
  })
}
