/** How long the networks of one photograph's annotation take (detection, landmarks, dense landmarks, segmentation, embedding) in WASM on one thread, beside onnxruntime-web.
 *
 * The kernels that `annotate` runs are recorded and written as one ONNX model; then both run the same in turns. Everything between the networks (cutting out, reading,
 * deciding) is left out on both sides.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/face-networks.ts PHOTOGRAPH --onnxruntime PATH [options]
 *
 *   --onnxruntime PATH    onnxruntime-web's dist/ort.node.min.mjs
 *   --repetitions N       default 15
 *   --processor           processor time of the process, on a machine that does other things, too
 */
import { parseArgs } from 'node:util'
import { annotate, readPicture } from '@facekit/annotate'
import { initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type * as Ort from 'onnxruntime-node'
import { printTable, summarize } from './benchmark.js'
import { addKernel, KNOWN_KERNELS, type TracedKernel, type TracedTensor } from './kernels-to-onnx.js'
import { OnnxGraph } from './onnx-graph.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    onnxruntime: { type: 'string', default: 'onnxruntime-web' },
    repetitions: { type: 'string', default: '15' },
    processor: { type: 'boolean', default: false },
  },
})
const now = () => {
  if (!options.processor) return performance.now()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const ort = (await import(options.onnxruntime)) as typeof Ort
ort.env.wasm.numThreads = 1
const { reason } = await initEngine({ backend: 'wasm', threads: 1 })
console.log(reason)
const photograph = await readPicture(positionals[0])

type RunKernel = (name: string, inputs: tf.NamedTensorMap, attrs: Record<string, unknown>) => tf.Tensor
const engine = tf.engine() as unknown as { runKernel: RunKernel }
const runKernel = engine.runKernel.bind(engine)

/** Kernels in the order in which they ran, and a copy of each operand that none of them made. */
async function trace(): Promise<{ kernels: TracedKernel[]; given: Map<number, tf.Tensor>; first: number }> {
  await annotate(photograph)
  const kernels: TracedKernel[] = []
  const given = new Map<number, tf.Tensor>()
  const made = new Set<number>()
  const mark = tf.scalar(0)
  engine.runKernel = (name, inputs, attrs) => {
    const operands = (Object.values(inputs).flat() as (tf.Tensor | undefined)[]).filter(
      Boolean,
    ) as tf.Tensor[]
    const output = runKernel(name, inputs, attrs)
    const isKnown = KNOWN_KERNELS.has(name) && [...operands, output].every(({ dtype }) => dtype === 'float32')
    // Of kernels that are left out, and of what no kernel made, the numbers are inputs.
    const others = isKnown ? operands.filter(({ id }) => !made.has(id) && !given.has(id)) : [output].flat()
    for (const tensor of others) given.set(tensor.id, tf.keep(runKernel('Identity', { x: tensor }, {})))
    if (isKnown) {
      const present = Object.entries(inputs).filter(([, tensor]) => tensor !== undefined && tensor !== null)
      const noted = present.map(([key, tensor]) => [
        key,
        Array.isArray(tensor) ? (tensor as tf.Tensor[]).map(noteOf) : noteOf(tensor),
      ])
      kernels.push({ name, inputs: Object.fromEntries(noted), attrs: { ...attrs }, output: noteOf(output) })
      made.add(output.id)
    }
    return output
  }
  await annotate(photograph)
  engine.runKernel = runKernel
  return { kernels, given, first: mark.id }
}

const noteOf = ({ id, shape, dtype }: tf.Tensor): TracedTensor => ({ id, shape: [...shape], dtype })
const operandsOf = ({ inputs }: TracedKernel) => Object.values(inputs).flat()

const { kernels, given, first } = await trace()
const numbers = new Map<number, Float32Array>()
for (const [id, tensor] of given)
  if (tensor.dtype === 'float32') numbers.set(id, Float32Array.from(await tensor.data()))

const graph = new OnnxGraph()
const names = new Map<number, string>()
const feeds: Record<string, Ort.Tensor> = {}
const consumed = new Set<number>()
const left = new Map<number, TracedTensor>()
for (const kernel of kernels) {
  const operands = operandsOf(kernel)
  const nameOf = (tensor: TracedTensor) => {
    const name = names.get(tensor.id)
    if (name !== undefined) return name
    const values = numbers.get(tensor.id)!
    // Weights were there before; small numbers are made anew each time.
    const isWeight = tensor.id < first || tensor.shape.length < 2
    const fresh = isWeight
      ? graph.constant(values, tensor.shape)
      : graph.input(`input${tensor.id}`, tensor.shape)
    if (!isWeight) feeds[fresh] = new ort.Tensor('float32', values, tensor.shape)
    names.set(tensor.id, fresh)
    return fresh
  }
  const name = addKernel(graph, kernel, { name: nameOf, values: ({ id }) => numbers.get(id)! })
  names.set(kernel.output.id, name)
  left.set(kernel.output.id, kernel.output)
  for (const { id } of operands) consumed.add(id)
}
const ends = [...left.values()].filter(({ id }) => !consumed.has(id))
for (const { id, shape } of ends) graph.output(names.get(id)!, shape)
console.log(`${kernels.length} kernels, ${Object.keys(feeds).length} inputs, ${ends.length} outputs`)

/** The same kernels again. */
const replay = () =>
  tf.tidy(() => {
    const tensors = new Map(given)
    for (const { name, inputs, attrs, output } of kernels) {
      const operands = Object.entries(inputs).map(([key, tensor]) => [
        key,
        Array.isArray(tensor) ? tensor.map(({ id }) => tensors.get(id)!) : tensors.get(tensor.id)!,
      ])
      // Operands without names come as a list.
      const named = '0' in inputs ? operands.map(([, tensor]) => tensor) : Object.fromEntries(operands)
      tensors.set(output.id, runKernel(name, named as unknown as tf.NamedTensorMap, attrs))
    }
    return ends.map(({ id }) => tensors.get(id)!.clone())
  })

const session = await ort.InferenceSession.create(graph.encode('face'), {
  executionProviders: ['wasm'],
  graphOptimizationLevel: 'all',
})
const [ours, theirs]: number[][] = [[], []]
for (let i = 0; i < Number(options.repetitions) + 2; i++) {
  const begin = now()
  const results = replay()
  const between = now()
  const found = await session.run(feeds)
  const end = now()
  if (i >= 2) {
    ours.push(between - begin)
    theirs.push(end - between)
  } else if (i === 0) {
    let worst = 0
    for (const [j, { id }] of ends.entries()) {
      const [a, b] = [await results[j].data(), found[names.get(id)!].data as Float32Array]
      const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6)
      worst = Math.max(
        worst,
        b.reduce((most, value, k) => Math.max(most, Math.abs(value - a[k])), 0) / largest,
      )
    }
    console.log(`largest difference of an output, of its largest number: ${worst.toExponential(1)}`)
  }
  tf.dispose(results)
}
const [a, b] = [summarize(ours), summarize(theirs)]
printTable([
  {
    runs: a.runs,
    'ms here': a.fastest,
    median: a.median,
    'ms onnxruntime': b.fastest,
    'its median': b.median,
    ratio: a.fastest / b.fastest,
  },
])
process.exit(0)
