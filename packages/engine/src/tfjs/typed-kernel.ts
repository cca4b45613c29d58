import {
  getKernel,
  registerKernel,
  unregisterKernel,
  type KernelBackend,
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core'

/** What tfjs passes to a kernel. */
export interface KernelArguments<Inputs, Attributes, Backend extends KernelBackend = KernelBackend> {
  inputs: Inputs
  attrs: Attributes
  backend: Backend
}

/** Inputs of a kernel that are all there. */
export type KernelInputs<Names extends string> = Record<Names, TensorInfo>

/** A kernel whose inputs, attributes and backend have types. */
export type TypedKernel<
  Inputs,
  Attributes,
  Backend extends KernelBackend = KernelBackend,
  Result extends TensorInfo | TensorInfo[] = TensorInfo,
> = (args: KernelArguments<Inputs, Attributes, Backend>) => Result

/** A kernel that is registered with tfjs. */
export interface RegisteredKernel<Inputs, Attributes, Backend extends KernelBackend = KernelBackend> {
  config: KernelConfig
  run: TypedKernel<Inputs, Attributes, Backend>
}

/** The kernel that is registered now, if there is one. */
export function registeredKernel<Inputs, Attributes, Backend extends KernelBackend = KernelBackend>(
  name: string,
  backendName: string,
): RegisteredKernel<Inputs, Attributes, Backend> | undefined {
  // tfjs' type leaves out that a kernel may be missing.
  const config = getKernel(name, backendName) as KernelConfig | undefined
  if (!config) return undefined
  return { config, run: (args) => runKernelFunc(config.kernelFunc, args) as TensorInfo }
}

/** Runs a kernel below tfjs' engine: no gradient, no scope; the caller disposes of the result's data. */
export function runTypedKernel<Backend extends KernelBackend>(
  name: string,
  backendName: string,
  args: KernelArguments<object, object | undefined, Backend>,
): TensorInfo {
  return runKernelFunc(getKernel(name, backendName).kernelFunc, args) as TensorInfo
}

/** Registers a kernel, in place of the one that is there.
 *
 * @param stock - the one that is replaced: it stays set up, so that ours can hand rare cases to it
 */
export function registerTypedKernel<
  Inputs,
  Attributes,
  Backend extends KernelBackend,
  Result extends TensorInfo | TensorInfo[],
>(
  name: string,
  backendName: string,
  kernel: TypedKernel<Inputs, Attributes, Backend, Result>,
  stock?: KernelConfig,
): void {
  // tfjs prints a warning when a kernel is registered twice.
  if (getKernel(name, backendName)) unregisterKernel(name, backendName)
  registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: kernel as unknown as KernelFunc,
    setupFunc: stock?.setupFunc,
    disposeFunc: stock?.disposeFunc,
  })
}

/** Replaces a kernel by one that may call it.
 *
 * @param make - gets the one that was there before
 */
export function replaceTypedKernel<Inputs, Attributes, Backend extends KernelBackend = KernelBackend>(
  name: string,
  backendName: string,
  make: (
    stock: TypedKernel<Inputs, Attributes, Backend>,
  ) => TypedKernel<Inputs, Attributes, Backend, TensorInfo | TensorInfo[]>,
): void {
  const stock = registeredKernel<Inputs, Attributes, Backend>(name, backendName)
  if (!stock) throw new Error(`replaceTypedKernel: backend ${backendName} has no kernel ${name}`)
  registerTypedKernel(name, backendName, make(stock.run), stock.config)
}

function runKernelFunc(
  run: KernelFunc,
  { inputs, attrs, backend }: KernelArguments<unknown, unknown>,
): TensorInfo | TensorInfo[] {
  return run({ inputs: inputs as Record<string, TensorInfo>, attrs: attrs as NamedAttrMap, backend })
}
