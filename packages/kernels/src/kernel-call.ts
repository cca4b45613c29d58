import type {
  KernelBackend,
  NamedAttrMap,
  NamedTensorInfoMap,
  NamedTensorMap,
  Tensor,
  TensorInfo,
} from '@tensorflow/tfjs-core'
import type { GpuMemoryType } from './gpu-program.js'
import type { InputType } from './kernel-types.js'
import type { TensorSpec } from './tensor-spec.js'

/* Contributor notes
 *
 * Inside, a definition is seen without its type parameters: names are strings. `defineKernel` is the door between the two.
 */

type ByName<T> = Readonly<Record<string, T>>

/** Stock operations: a tensor, or tensors by name. */
export type AnyOperations = (
  inputs: ByName<Tensor>,
  attributes: object,
) => Tensor | ByName<Tensor | undefined>

/** A definition of any kernel. */
export interface AnyDefinition {
  readonly name: string
  readonly inputs: ByName<InputType>
  readonly outputs: (shapes: ByName<number[]>, attributes: object) => ByName<TensorSpec | undefined>
  readonly keeps?: (shapes: ByName<number[]>, attributes: object) => ByName<TensorSpec | undefined>
  readonly saves?: readonly string[]
  readonly constants?: readonly string[]
  readonly cpu?: ((...args: never[]) => void) | { readonly operations: AnyOperations }
  readonly webgpu?: ((...args: never[]) => void) | { readonly operations: AnyOperations }
  readonly webgpuMemory?: (
    backend: KernelBackend,
    inputs: never,
  ) => Readonly<Record<string, GpuMemoryType | undefined>>
  readonly operations?: AnyOperations
  readonly recordsOperations?: boolean
  readonly gradient?: (call: {
    upstream: ByName<Tensor | undefined>
    saved: ByName<Tensor | undefined>
    attributes: object
    wants(input: string): boolean
  }) => ByName<Tensor | (() => Tensor) | undefined>
}

/** A kernel function as tfjs registers it; its attributes are the call. */
export type KernelFunction = (params: {
  inputs: NamedTensorInfoMap
  backend: unknown
  attrs?: NamedAttrMap
}) => TensorInfo[]

/** What is worked out once for all calls of a kernel. */
export interface KernelPlan {
  readonly definition: AnyDefinition
  readonly inputNames: readonly string[]
  /** Names of inputs and outputs that are declared constants. */
  readonly constants: ReadonlySet<string>
}

export const planOf = (definition: AnyDefinition): KernelPlan => ({
  definition,
  inputNames: Object.keys(definition.inputs),
  constants: new Set(definition.constants),
})

/** One call of a kernel; to tfjs it is the attributes. */
export interface KernelCall {
  readonly plan: KernelPlan
  /** What runs as one kernel. */
  readonly half: KernelFunction | undefined
  readonly attributes: object
  /** The inputs that are not missing. */
  readonly given: NamedTensorMap
  readonly shapes: ByName<number[]>
  /** Outputs, then what is kept for the gradient. */
  readonly names: readonly string[]
  readonly specs: readonly TensorSpec[]
  /** Number of the outputs. */
  readonly visible: number
}

/** Works out what a call makes, and which inputs it was given. */
export function prepareCall(
  plan: KernelPlan,
  half: KernelFunction | undefined,
  inputs: ByName<Tensor | undefined>,
  attributes: object,
): KernelCall {
  const { definition, inputNames } = plan
  const given: NamedTensorMap = {}
  const shapes: Record<string, number[]> = {}
  for (let i = 0; i < inputNames.length; i++) {
    const name = inputNames[i]
    const tensor = inputs[name]
    if (tensor === undefined) continue
    given[name] = tensor
    shapes[name] = tensor.shape
  }
  const names: string[] = []
  const specs: TensorSpec[] = []
  addSpecs(definition.outputs(shapes, attributes), names, specs)
  const visible = names.length
  if (definition.keeps !== undefined) addSpecs(definition.keeps(shapes, attributes), names, specs)
  return { plan, half, attributes, given, shapes, names, specs, visible }
}

function addSpecs(made: ByName<TensorSpec | undefined>, names: string[], specs: TensorSpec[]): void {
  for (const name in made) {
    const spec = made[name]
    if (spec === undefined) continue
    names.push(name)
    specs.push(spec)
  }
}
