import * as tf from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'
import { defineKernel, float32, int32, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()

interface Attributes {
  factor: number
}

/** Where each of the kernels below ran. */
const ran: string[] = []

const squaresGradient = defineKernel({
  name: 'TestSquaresGradient',
  inputs: { x: 'float32', bias: 'float32?', toSquare: 'float32?', toDouble: 'float32?' },
  outputs: ({ x }) => ({ x: float32(x) }),
  cpu({ x: at, toSquare, toDouble }, { x }, _shapes, { factor }: Attributes) {
    for (let i = 0; i < x.length; i++)
      x[i] = 2 * factor * at[i] * (toSquare?.[i] ?? 0) + 2 * (toDouble?.[i] ?? 0)
  },
  webgpu(backend, { x: at, toSquare, toDouble }, { x }, { factor }) {
    runGpuProgram(
      backend,
      {
        name: 'test_squares_gradient',
        inputs: ['at: f32', 'toSquare: f32', 'toDouble: f32'],
        outputs: ['x: f32'],
        uniforms: ['factor: f32', 'square: u32', 'double: u32', 'size: u32'],
        code: /* wgsl */ `@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
          let i = id.x;
          if (i >= uniforms.size) { return; }
          var sum = 0f;
          if (uniforms.square == 1u) { sum += 2.0 * uniforms.factor * at[i] * toSquare[i]; }
          if (uniforms.double == 1u) { sum += 2.0 * toDouble[i]; }
          x[i] = sum;
        }`,
      },
      {
        inputs: [at, toSquare, toDouble],
        outputs: [x],
        uniforms: [factor, toSquare ? 1 : 0, toDouble ? 1 : 0, tf.util.sizeFromShape(at.shape)],
        workgroups: workgroupsFor(tf.util.sizeFromShape(at.shape), 64),
      },
    )
  },
  operations: ({ x, toSquare, toDouble }, { factor }) =>
    tf.add(
      toSquare ? tf.mul(tf.mul(x, toSquare), 2 * factor) : tf.zerosLike(x),
      toDouble ? tf.mul(toDouble, 2) : 0,
    ),
})

/** square = factor x^2 + bias, double = 2 x, sign of x. */
const squares = defineKernel({
  name: 'TestSquares',
  inputs: { x: 'float32', bias: 'float32?' },
  outputs: ({ x }) => ({ square: float32(x), double: float32(x), sign: int32(x) }),
  saves: ['x', 'bias'],
  cpu({ x, bias }, { square, double, sign }, _shapes, { factor }: Attributes) {
    ran.push('cpu')
    for (let i = 0; i < x.length; i++) {
      square[i] = factor * x[i] ** 2 + (bias?.[i] ?? 0)
      double[i] = 2 * x[i]
      sign[i] = Math.sign(x[i])
    }
  },
  webgpu(backend, { x, bias }, { square, double, sign }, { factor }) {
    ran.push('webgpu')
    const size = tf.util.sizeFromShape(x.shape)
    runGpuProgram(
      backend,
      {
        name: 'test_squares',
        inputs: ['x: f32', 'bias: f32'],
        outputs: ['square: f32', 'double: f32', 'sign: i32'],
        uniforms: ['factor: f32', 'biased: u32', 'size: u32'],
        code: /* wgsl */ `@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
          let i = id.x;
          if (i >= uniforms.size) { return; }
          square[i] = uniforms.factor * x[i] * x[i];
          if (uniforms.biased == 1u) { square[i] += bias[i]; }
          double[i] = 2.0 * x[i];
          sign[i] = i32(sign_of(x[i]));
        }
        fn sign_of(value: f32) -> f32 { return select(select(0.0, -1.0, value < 0.0), 1.0, value > 0.0); }`,
      },
      {
        inputs: [x, bias],
        outputs: [square, double, sign],
        uniforms: [factor, bias ? 1 : 0, size],
        workgroups: workgroupsFor(size, 64),
      },
    )
  },
  operations: ({ x, bias }, { factor }) => {
    ran.push('operations')
    const square = tf.mul(tf.square(x), factor)
    return {
      square: bias ? tf.add(square, bias) : square,
      double: tf.mul(x, 2),
      sign: tf.cast(tf.sign(x), 'int32'),
    }
  },
  gradient: ({ upstream, saved, attributes, wants }) => ({
    x: () => squaresGradient({ ...saved, toSquare: upstream.square, toDouble: upstream.double }, attributes),
    bias: wants('bias') ? upstream.square : undefined,
  }),
})

/** One way for each place that a kernel can run at: the current backend, and what must have run there. */
const places = [
  ['cpu', 'cpu'],
  ['wasm', 'cpu'],
  ['device', 'operations'],
  ...(webgpu ? [['webgpu', 'webgpu']] : []),
]

describe.each(places)('defineKernel on %s', (backend, half) => {
  beforeAll(() => useBackend(backend))

  it('value: the half of the backend runs, between other operations', async () => {
    ran.length = 0
    const { square, double, sign } = squares({ x: tf.tensor2d([[-1, 2]]) }, { factor: 3 })
    expect(ran).toEqual([half])
    expect(await square.array()).toEqual([[3, 12]])
    expect(await double.array()).toEqual([[-2, 4]])
    expect(sign.dtype).toBe('int32')
    expect(await sign.array()).toEqual([[-1, 1]])
    expect(await tf.add(square, 1).array()).toEqual([[4, 13]])
  })

  it('value: an input may be missing', async () => {
    const x = tf.tensor1d([1, 2])
    expect(await squares({ x, bias: tf.tensor1d([10, 20]) }, { factor: 1 }).square.array()).toEqual([11, 24])
    expect(await squares({ x, bias: undefined }, { factor: 1 }).square.array()).toEqual([1, 4])
  })

  it('value: byOperations runs the operations', async () => {
    ran.length = 0
    const { square } = squares.byOperations({ x: tf.tensor1d([-1, 2]) }, { factor: 3 })
    expect(ran).toEqual(['operations'])
    expect(await square.array()).toEqual([3, 12])
  })

  it.each(['best', 'operations'])('gradient: of all outputs and inputs, by %s', async (way) => {
    const run = way === 'best' ? squares : squares.byOperations
    const inputs = [tf.tensor1d([-1, 2, 0.5]), tf.tensor1d([1, 1, 1])]
    await checkGradient((x, bias) => {
      const { square, double } = run({ x, bias }, { factor: 3 })
      return tf.sum(tf.add(square, tf.mul(double, double)))
    }, inputs)
    // Without the input that may be missing.
    await checkGradient((x) => tf.sum(run({ x }, { factor: 3 }).square), [inputs[0]])
  })

  it('gradient: outputs of type int32 are constants', async () => {
    const gradient = tf.grad((x: tf.Tensor) => {
      const { square, sign } = squares({ x }, { factor: 1 })
      return tf.sum(tf.mul(square, tf.cast(tf.greater(sign, 0), 'float32')))
    })
    const slopes = (await gradient(tf.tensor1d([-3, 4])).data()) as Float32Array
    expect(Array.from(slopes, (slope) => slope + 0)).toEqual([0, 8])
  })

  it('memory: only the outputs, also when a gradient was recorded', async () => {
    const x = tf.tensor1d([1, 2])
    await expectNoLeak(() => tf.dispose(squares({ x }, { factor: 1 })))
    await expectNoLeak(() => tf.dispose(squares.byOperations({ x }, { factor: 1 })))
    await expectNoLeak(() =>
      tf
        .grad((x: tf.Tensor) => tf.sum(squares({ x }, { factor: 1 }).square))(x)
        .dispose(),
    )
  })
})

describe.each(testBackends)('gradients of defineKernel on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  /** y = a b, where b is a constant; keeps a + b for the gradient. */
  const product = (seen: unknown[]) =>
    defineKernel({
      name: `TestProduct${seen.length}`,
      inputs: { a: 'float32', b: 'float32' },
      outputs: ({ a }) => ({ y: float32(a), z: float32(a), constant: float32(a) }),
      keeps: ({ a }) => ({ sum: float32(a) }),
      saves: ['b', 'y'],
      constants: ['b', 'constant'],
      cpu({ a, b }, { y, z, sum, constant }) {
        for (let i = 0; i < a.length; i++) {
          y[i] = a[i] * b[i]
          z[i] = a[i]
          sum[i] = a[i] + b[i]
          constant[i] = 7
        }
      },
      gradient: ({ upstream, saved, wants }) => {
        seen.push([upstream.y?.shape, upstream.z?.shape, wants('a'), wants('b'), saved.sum.dataSync()[0]])
        expect([...saved.y.dataSync()]).toEqual([10])
        return { a: () => tf.mul(upstream.y!, saved.b) }
      },
    })

  it('gradient: missing upstreams are undefined, what was kept is there, constants are not asked for', async () => {
    const seen: unknown[] = []
    const kernel = product(seen)
    const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) => {
      // b reaches y by the kernel, too, where it is a constant.
      const { y, constant } = kernel({ a, b })
      return tf.sum(tf.add(tf.add(y, b), constant))
    })
    const [toA, toB] = gradients([tf.tensor1d([2]), tf.tensor1d([5])])
    expect(seen).toEqual([[[1], undefined, true, false, 7]])
    expect([await toA.array(), await toB.array()]).toEqual([[5], [1]])
  })

  it('memory: what is kept goes with the tape, or at once where nothing is recorded', async () => {
    const kernel = product([])
    const [a, b] = [tf.tensor1d([2]), tf.tensor1d([5])]
    await expectNoLeak(() => tf.dispose(kernel({ a, b })))
    await expectNoLeak(() =>
      tf
        .grad((a: tf.Tensor) => tf.sum(kernel({ a, b }).y))(a)
        .dispose(),
    )
    // Recorded, but no part of what is differentiated.
    await expectNoLeak(() =>
      tf
        .grad((x: tf.Tensor) => {
          kernel({ a, b })
          return tf.sum(x)
        })(a)
        .dispose(),
    )
  })

  it('memory: nothing is left when a half throws', async () => {
    const failing = defineKernel({
      name: 'TestFailing',
      inputs: { x: 'float32' },
      outputs: ({ x }) => ({ y: float32(x) }),
      cpu() {
        throw new BackendError('out of luck')
      },
    })
    const x = tf.tensor1d([1])
    const buffers = () => tf.engine().backend.numDataIds()
    const before = buffers()
    expect(() => failing({ x })).toThrow('out of luck')
    expect(buffers()).toBe(before)
  })

  it('gradient: recorded operations are differentiated by tfjs, with constants left alone', async () => {
    const recorded = defineKernel({
      name: 'TestRecorded',
      inputs: { a: 'float32', b: 'float32' },
      outputs: ({ a }) => ({ y: float32(a), half: float32(a) }),
      constants: ['b', 'half'],
      operations: ({ a, b }) => ({ y: tf.mul(a, b), half: tf.mul(a, 0.5) }),
    })
    const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor) => {
      const { y, half } = recorded({ a, b })
      return tf.sum(tf.add(tf.mul(y, half), b))
    })
    const [toA, toB] = gradients([tf.tensor1d([2]), tf.tensor1d([5])])
    // y = a b and half = a / 2 as a constant: 5 * 1, and 1 from the sum alone.
    expect([await toA.array(), await toB.array()]).toEqual([[5], [1]])
    const [a, b] = [tf.tensor1d([2]), tf.tensor1d([5])]
    await expectNoLeak(() => tf.dispose(recorded({ a, b })))
  })

  it('value: operations may stand in for one half; an input that they return is copied', async () => {
    const same = defineKernel({
      name: 'TestSame',
      inputs: { x: 'float32' },
      outputs: ({ x }) => ({ y: float32(x) }),
      cpu: { operations: ({ x }) => x },
      gradient: ({ upstream }) => ({ x: () => tf.mul(upstream.y, 2) }),
    })
    const x = tf.tensor1d([1])
    const y = same({ x })
    y.dispose()
    expect(x.isDisposed).toBe(false)
    // By the gradient of the definition, not by that of the operations.
    expect(
      await tf
        .grad((x: tf.Tensor) => same({ x }))(x)
        .array(),
    ).toEqual([2])
    await expectNoLeak(() => same({ x }).dispose())
  })
})

describe('defineKernel where halves are missing', () => {
  const onHost = defineKernel({
    name: 'TestHostOnly',
    inputs: { x: 'float32', rows: 'int32?' },
    outputs: ({ x }) => ({ y: float32(x) }),
    cpu({ x, rows }, { y }) {
      for (let i = 0; i < x.length; i++) y[i] = x[i] + (rows?.[i] ?? 0)
    },
  })
  const onGpu = defineKernel({
    name: 'TestGpuOnly',
    inputs: { x: 'float32' },
    outputs: ({ x }) => ({ y: float32(x) }),
    webgpu() {},
  })

  it('value: a loop runs on copies where memory is read through the backend, with the types that it was promised', async () => {
    await useBackend('device')
    expect(await onHost({ x: tf.tensor1d([3]), rows: tf.tensor1d([2.5]) }).array()).toEqual([5])
  })

  it('throws: which backends can run it', async () => {
    await useBackend('cpu')
    const x = tf.tensor1d([3])
    expect(() => onGpu({ x })).toThrow(BackendError)
    expect(() => onGpu({ x })).toThrow(
      /TestGpuOnly.*the cpu backend; use webgpu \(tf.setBackend\('webgpu'\)\)/,
    )
    expect(() => onHost.byOperations({ x })).toThrow(/TestHostOnly has no operations/)
    // The name alone decides, so that no adapter is needed.
    const real = tf.findBackendFactory('webgpu')
    if (real === null) {
      tf.registerBackend('webgpu', () => tf.findBackendFactory('cpu')() as tf.KernelBackend)
      tf.copyRegisteredKernels('cpu', 'webgpu')
    }
    await tf.setBackend('webgpu')
    expect(() => onHost({ x })).toThrow(/TestHostOnly.*the webgpu backend; use cpu, wasm, tensorflow/)
    await tf.setBackend('cpu')
  })
})
