/** Shape and type of a tensor that a kernel makes; see `float32` and `int32`. */
export interface TensorSpec<
  Type extends 'float32' | 'int32' = 'float32' | 'int32',
  Shape extends readonly number[] = readonly number[],
> {
  readonly shape: Shape
  readonly dtype: Type
}

/** A float32 output of a kernel; its rank is known to TypeScript when the shape is written out. */
export const float32 = <const Shape extends readonly number[]>(
  shape: Shape,
): TensorSpec<'float32', Shape> => ({ shape, dtype: 'float32' })

/** An int32 output of a kernel; it carries no gradient. */
export const int32 = <const Shape extends readonly number[]>(shape: Shape): TensorSpec<'int32', Shape> => ({
  shape,
  dtype: 'int32',
})

/** float32 outputs with the names and shapes of inputs, as gradients have them. */
export function float32Like<Name extends string>(
  shapes: Readonly<Record<Name, readonly number[]>>,
  names: readonly Name[],
): Record<NoInfer<Name>, TensorSpec<'float32'>> {
  const specs: Partial<Record<Name, TensorSpec<'float32'>>> = {}
  for (const name of names) specs[name] = float32(shapes[name])
  return specs as Record<Name, TensorSpec<'float32'>>
}
