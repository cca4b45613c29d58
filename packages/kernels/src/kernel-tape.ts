import { engine, Identity, keep, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core'
import type { KernelCall, KernelPlan } from './kernel-call.js'

/* Contributor notes
 *
 * tfjs records each kernel that it runs: outputs, inputs, saved tensors, and the gradient that is registered under the kernel's name. What a
 * registered gradient can't say is written into the record itself, right after the kernel has run: which inputs and outputs are
 * constants, which outputs nothing depends on (tfjs fills in zeros, uploaded in every backward pass), and what is saved where inputs may be missing.
 * The backward pass calls `gradient` on a copy of the record whose inputs are those that are wanted.
 */

/** What tfjs keeps of a kernel that it ran. */
interface TapeNode {
  outputs: Tensor[]
  inputs: NamedTensorMap
  gradient?: (upstream: Tensor[]) => Record<string, () => Tensor>
  saved?: Tensor[]
}

/** Whether tfjs records what runs now. */
export const isRecording = (): boolean => {
  const { gradientDepth, kernelDepth } = engine().state
  return gradientDepth > 0 && kernelDepth === 0
}

/** Whether a tensor carries no gradient. */
export const isConstant = (plan: KernelPlan, name: string, tensor: Tensor): boolean =>
  tensor.dtype === 'int32' || (plan.constants.size > 0 && plan.constants.has(name))

/** Completes the record of the kernel that ran last.
 *
 * @param tensors - its outputs, and behind them what it keeps, which is the record's from now on
 */
export function completeRecord(call: KernelCall, tensors: readonly Tensor[]): void {
  const { plan, given, names, visible } = call
  const tape = engine().state.activeTape as TapeNode[]
  const node = tape[tape.length - 1]
  const inputs: NamedTensorMap = {}
  let variables = 0
  for (const name in given) {
    if (isConstant(plan, name, given[name])) continue
    inputs[name] = given[name]
    variables++
  }
  const outputs: Tensor[] = []
  const results: string[] = []
  for (let i = 0; i < visible; i++) {
    if (isConstant(plan, names[i], tensors[i])) continue
    outputs.push(tensors[i])
    results.push(names[i])
  }
  if (variables === 0 || results.length === 0) {
    tape.pop()
    for (let i = visible; i < tensors.length; i++) tensors[i].dispose()
    return
  }
  node.inputs = inputs
  node.outputs = outputs
  const { gradient } = plan.definition
  const saved = savedTensors(call, tensors)
  node.saved = Object.values(saved)
  if (gradient === undefined) return
  node.gradient = function backward(this: TapeNode | undefined, gradients) {
    const wanted = this?.inputs ?? inputs
    const upstream: Record<string, Tensor | undefined> = {}
    for (let i = 0; i < results.length; i++) upstream[results[i]] = gradients[i] ?? undefined
    const { attributes } = call
    const found = gradient({ upstream, saved, attributes, wants: (input) => input in wanted })
    const thunks: Record<string, () => Tensor> = {}
    for (const name in found) {
      const result = found[name]
      if (result !== undefined) thunks[name] = typeof result === 'function' ? result : () => result
    }
    return thunks
  }
}

/** What the gradient needs, by name; the record frees it. */
function savedTensors(
  { plan, given, names, visible }: KernelCall,
  tensors: readonly Tensor[],
): Record<string, Tensor> {
  const saved: Record<string, Tensor> = {}
  for (let i = visible; i < tensors.length; i++) saved[names[i]] = keep(tensors[i])
  for (const name of plan.definition.saves ?? []) {
    const tensor = given[name] ?? tensors[names.indexOf(name)]
    // A copy in name, as tfjs makes it: the caller may dispose of the tensor.
    if (tensor !== undefined) saved[name] = keep(engine().runKernel(Identity, { x: tensor }) as Tensor)
  }
  return saved
}
