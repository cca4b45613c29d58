import type { Data, Value } from 'ndarray'

// Contributor notes. The package `ndarray` compiles its classes from strings, which a page with a strict Content-Security-Policy forbids
// (script-src without 'unsafe-eval'). Builds for pages put this in its place: the same views, without generated code.

/** A view of an array of numbers with any strides: what the package `ndarray` calls an NdArray. */
export class ArrayView<D extends Data = Data<number>> {
  readonly size: number

  constructor(
    public data: D,
    public shape: number[],
    public stride: number[],
    public offset: number,
  ) {
    this.size = shape.reduce((product, length) => product * length, 1)
  }

  get dimension(): number {
    return this.shape.length
  }

  get dtype(): string {
    const name = this.data.constructor.name
    return name === 'Uint8ClampedArray'
      ? 'uint8_clamped'
      : name.replace(/Array$/, '').toLowerCase() || 'array'
  }

  /** Axes from the shortest stride to the longest. */
  get order(): number[] {
    return [...this.stride.keys()].sort((a, b) => Math.abs(this.stride[a]) - Math.abs(this.stride[b]))
  }

  get(i = 0, j = 0, k = 0, ...rest: number[]): Value<D> {
    return read(this.data, this.#place(i, j, k, rest))
  }

  set(...args: number[]): Value<D> {
    const { stride } = this
    // The usual numbers of dimensions without arrays on the way.
    const at =
      args.length === 4
        ? this.offset + args[0] * stride[0] + args[1] * stride[1] + args[2] * stride[2]
        : this.index(...args.slice(0, -1))
    return write(this.data, at, args[args.length - 1] as Value<D>)
  }

  index(...args: number[]): number {
    const [i = 0, j = 0, k = 0, ...rest] = args
    return this.#place(i, j, k, rest)
  }

  #place(i: number, j: number, k: number, rest: readonly number[]): number {
    const { stride } = this
    let at = this.offset + i * stride[0]
    if (stride.length > 1) at += j * stride[1]
    if (stride.length > 2) at += k * stride[2]
    for (let axis = 3; axis < stride.length; axis++) at += (rest[axis - 3] ?? 0) * stride[axis]
    return stride.length === 0 ? this.offset : at
  }

  /** The first `lengths` of each axis. */
  hi(...lengths: (number | null)[]): ArrayView<D> {
    const shape = this.shape.map((length, axis) => lengths[axis] ?? length)
    return new ArrayView(this.data, shape, [...this.stride], this.offset)
  }

  /** Without the first `starts` of each axis. */
  lo(...starts: (number | null)[]): ArrayView<D> {
    const shape = this.shape.map((length, axis) => length - (starts[axis] ?? 0))
    const offset = this.stride.reduce((sum, step, axis) => sum + step * (starts[axis] ?? 0), this.offset)
    return new ArrayView(this.data, shape, [...this.stride], offset)
  }

  /** Every `steps`-th of each axis; backwards where it is negative. */
  step(...steps: (number | null)[]): ArrayView<D> {
    let { offset } = this
    const shape = this.shape.map((length, axis) => {
      const step = steps[axis] ?? 1
      if (step < 0) offset += this.stride[axis] * (length - 1)
      return Math.ceil(length / Math.abs(step))
    })
    return new ArrayView(
      this.data,
      shape,
      this.stride.map((stride, axis) => stride * (steps[axis] ?? 1)),
      offset,
    )
  }

  transpose(...axes: number[]): ArrayView<D> {
    const order = axes.length > 0 ? axes : [...this.shape.keys()]
    return new ArrayView(
      this.data,
      order.map((axis) => this.shape[axis]),
      order.map((axis) => this.stride[axis]),
      this.offset,
    )
  }

  /** Fixes the axes that are given a number, and drops them. */
  pick(...places: (number | null | undefined)[]): ArrayView<D> {
    let { offset } = this
    const kept: number[] = []
    this.shape.forEach((_, axis) => {
      const place = places[axis]
      if (typeof place === 'number' && place >= 0) offset += this.stride[axis] * place
      else kept.push(axis)
    })
    return new ArrayView(
      this.data,
      kept.map((axis) => this.shape[axis]),
      kept.map((axis) => this.stride[axis]),
      offset,
    )
  }
}

type Store = { get?: (at: number) => unknown; set?: (at: number, value: unknown) => void } & Record<
  number,
  unknown
>

function read<D extends Data>(data: D, at: number): Value<D> {
  const store = data as unknown as Store
  return (typeof store.get === 'function' ? store.get(at) : store[at]) as Value<D>
}

function write<D extends Data>(data: D, at: number, value: Value<D>): Value<D> {
  const store = data as unknown as Store
  // Typed arrays have a `set` that means something else.
  if (typeof store.get === 'function' && typeof store.set === 'function') store.set(at, value)
  else store[at] = value
  return value
}

/** As the function of the package `ndarray`: row by row unless strides are given. */
export default function ndarray<D extends Data = Data<number>>(
  data: D,
  shape: number[] = [(data as ArrayLike<number>).length],
  stride: number[] = rowMajor(shape),
  offset: number = stride.reduce((sum, step, axis) => (step < 0 ? sum - (shape[axis] - 1) * step : sum), 0),
): ArrayView<D> {
  return new ArrayView(data, shape, stride, offset)
}

function rowMajor(shape: readonly number[]): number[] {
  const stride = shape.map(() => 1)
  for (let axis = shape.length - 1, step = 1; axis >= 0; axis--) {
    stride[axis] = step
    step *= shape[axis]
  }
  return stride
}
