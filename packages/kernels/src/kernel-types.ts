import type {
  KernelBackend,
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  TensorInfo,
} from '@tensorflow/tfjs-core'
import type { GpuMemoryType } from './gpu-program.js'
import type { TensorSpec } from './tensor-spec.js'

/** Element type of an input; with a question mark the input may be missing. */
export type InputType = 'float32' | 'int32' | 'float32?' | 'int32?'

/** Inputs of a kernel: their names, in order, and their types. */
export type InputTypes = Readonly<Record<string, InputType>>

/** Outputs of a kernel by name. */
export type OutputSpecs = Readonly<Record<string, TensorSpec | undefined>>

/** Attributes of a kernel that has none. */
export type NoAttributes = Readonly<Record<never, never>>

/** Inputs by name, where `Kinds` says what stands for an input of each type. */
type PerInput<Inputs extends InputTypes, Kinds extends { float32: unknown; int32: unknown }> = {
  readonly [Name in keyof Inputs as Inputs[Name] extends keyof Kinds ? Name : never]: Kinds[Inputs[Name] &
    keyof Kinds]
} & {
  readonly [Name in keyof Inputs as Inputs[Name] extends `${string}?` ? Name : never]?:
    | (Inputs[Name] extends `${infer Type extends 'float32' | 'int32'}?` ? Kinds[Type] : never)
    | undefined
}

export type InputTensors<Inputs extends InputTypes> = PerInput<Inputs, { float32: Tensor; int32: Tensor }>
export type InputInfos<Inputs extends InputTypes> = PerInput<
  Inputs,
  { float32: TensorInfo; int32: TensorInfo }
>
export type InputShapes<Inputs extends InputTypes> = PerInput<Inputs, { float32: number[]; int32: number[] }>
export type InputArrays<Inputs extends InputTypes> = PerInput<
  Inputs,
  { float32: Float32Array; int32: Int32Array }
>

type ArrayOf<Spec> = Spec extends TensorSpec<'int32'> ? Int32Array : Float32Array
type TensorOf<Spec> =
  Spec extends TensorSpec<'float32' | 'int32', infer Shape>
    ? number extends Shape['length']
      ? Tensor
      : ([Scalar, Tensor1D, Tensor2D, Tensor3D, Tensor4D, ...Tensor[]] & Tensor[])[Shape['length']]
    : undefined

export type OutputArrays<Outputs extends OutputSpecs> = {
  readonly [Name in keyof Outputs]: ArrayOf<NonNullable<Outputs[Name]>>
}
export type OutputInfos<Outputs extends OutputSpecs> = {
  readonly [Name in keyof Outputs]: TensorInfo | (undefined extends Outputs[Name] ? undefined : never)
}
export type OutputTensors<Outputs extends OutputSpecs> = {
  readonly [Name in keyof Outputs]: TensorOf<Outputs[Name]>
}

type IsUnion<T, Whole = T> = T extends Whole ? ([Whole] extends [T] ? false : true) : never

/** The tensor itself of a kernel that makes one, else the tensors by name. */
export type KernelResult<Outputs extends OutputSpecs> =
  IsUnion<keyof Outputs> extends false ? OutputTensors<Outputs>[keyof Outputs] : OutputTensors<Outputs>

/** What a gradient is given. */
export interface GradientCall<
  Inputs extends InputTypes,
  Outputs extends OutputSpecs,
  Kept extends OutputSpecs,
  Attributes,
  Saved extends string,
  Constant extends string,
> {
  /** Gradients of the outputs, by name; `undefined` for those that nothing depends on. */
  readonly upstream: Upstream<Outputs, Exclude<FloatNames<Outputs>, Constant>>
  /** What `saves` and `keeps` name. */
  readonly saved: Pick<InputTensors<Inputs>, Saved & keyof InputTensors<Inputs>> &
    Pick<OutputTensors<Outputs>, Saved & keyof Outputs> &
    OutputTensors<Kept>
  readonly attributes: Attributes
  /** Whether somebody wants the gradient of an input. */
  wants(input: keyof Inputs): boolean
}

type FloatNames<Outputs extends OutputSpecs> = {
  [Name in keyof Outputs]: Outputs[Name] extends TensorSpec<'int32'> | undefined ? never : Name
}[keyof Outputs]

type Upstream<Outputs extends OutputSpecs, Names extends keyof Outputs> =
  IsUnion<Names> extends false
    ? { readonly [Name in Names]: Tensor }
    : { readonly [Name in Names]: Tensor | undefined }

/** Gradients of inputs by name: tensors, or functions that make them, which are called only if somebody wants them. */
export type InputGradients<Inputs extends InputTypes> = {
  readonly [Name in keyof Inputs]?: Tensor | (() => Tensor) | undefined
}

/** Stock operations, or other kernels, that make the outputs. */
export type KernelOperations<
  Inputs extends InputTypes,
  Outputs extends OutputSpecs,
  Kept extends OutputSpecs,
  Attributes,
> = (
  inputs: InputTensors<Inputs>,
  attributes: Attributes,
) =>
  | KernelResult<LooseSpecs<Outputs>>
  | (OutputTensors<LooseSpecs<Outputs>> & OutputTensors<LooseSpecs<Kept>>)

/** Specs without their ranks: what operations return is `Tensor` to TypeScript more often than not. */
type LooseSpecs<Specs extends OutputSpecs> = { readonly [Name in keyof Specs]: TensorSpec }

/** A kernel: an operation with one implementation for each kind of backend; see `defineKernel`. */
export interface KernelDefinition<
  Inputs extends InputTypes,
  Outputs extends OutputSpecs,
  Kept extends OutputSpecs,
  Attributes extends object,
  Saved extends string,
  Constant extends string,
> {
  /** Unique among all kernels, e.g. `"FacekitVertexNormals"`; profiles and errors say it. */
  readonly name: string
  readonly inputs: Inputs
  /** Shapes and types of the outputs. */
  readonly outputs: (shapes: InputShapes<Inputs>, attributes: Attributes) => Outputs
  /** Tensors that are made beside the outputs, for the gradient alone; the caller never sees them. */
  readonly keeps?: (shapes: InputShapes<Inputs>, attributes: Attributes) => Kept
  /** Inputs and outputs that the gradient needs. */
  readonly saves?: readonly (Saved & (keyof Inputs | keyof Outputs))[]
  /** Inputs and outputs that carry no gradient, whatever they depend on. Those of type int32 never do. */
  readonly constants?: readonly (Constant & (keyof Inputs | keyof Outputs))[]
  /** A loop over typed arrays: fills every element of the outputs, which are not cleared, and makes no tensors. For backends whose
   * memory is the CPU's; elsewhere it runs on copies if there is nothing better. */
  readonly cpu?:
    | ((
        inputs: InputArrays<NoInfer<Inputs>>,
        outputs: OutputArrays<NoInfer<Outputs & Kept>>,
        shapes: InputShapes<NoInfer<Inputs>>,
        attributes: Attributes,
        infos: InputInfos<NoInfer<Inputs>>,
      ) => void)
    | { readonly operations: KernelOperations<NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Kept>, Attributes> }
  /** Runs programs that fill the outputs; see `runGpuProgram`. */
  readonly webgpu?:
    | ((
        backend: KernelBackend,
        inputs: InputInfos<NoInfer<Inputs>>,
        outputs: OutputInfos<NoInfer<Outputs & Kept>>,
        attributes: Attributes,
      ) => void)
    | { readonly operations: KernelOperations<NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Kept>, Attributes> }
  /** How outputs lie in the GPU's memory where `webgpu` runs, for those that do not as their types say: see `makeGpuTensor`. */
  readonly webgpuMemory?: (
    backend: KernelBackend,
    inputs: InputInfos<NoInfer<Inputs>>,
  ) => { readonly [Name in keyof NoInfer<Outputs & Kept>]?: GpuMemoryType }
  /** What runs where the backend's own half is missing: stock operations. Returns new tensors. */
  readonly operations?: KernelOperations<NoInfer<Inputs>, NoInfer<Outputs>, NoInfer<Kept>, Attributes>
  /** Whether tfjs records the operations one by one and differentiates them, instead of asking `gradient`. Default: when there is no
   * `gradient`. */
  readonly recordsOperations?: boolean
  readonly gradient?: (
    call: GradientCall<Inputs, Outputs, Kept, Attributes, Saved, Constant>,
  ) => InputGradients<Inputs>
}

/** Attributes as the last argument, which a kernel without any does not have. */
type AttributesArgument<Attributes> = NoAttributes extends Attributes
  ? [attributes?: Attributes]
  : [attributes: Attributes]

/** What `defineKernel` gives back: runs the kernel on the current backend. */
export interface Kernel<
  Inputs extends InputTypes,
  Outputs extends OutputSpecs,
  Attributes extends object = NoAttributes,
> {
  (inputs: InputTensors<Inputs>, ...attributes: AttributesArgument<Attributes>): KernelResult<Outputs>
  /** The same by its `operations`, on every backend: what the other halves are tested against. */
  byOperations(
    inputs: InputTensors<Inputs>,
    ...attributes: AttributesArgument<Attributes>
  ): KernelResult<Outputs>
}
