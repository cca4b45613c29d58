import {
  backend_util,
  cumprod,
  engine,
  mul,
  reshape,
  tensor,
  tensor1d,
  tidy,
  transpose,
  unsortedSegmentSum,
  type Tensor,
} from '@tensorflow/tfjs-core'

/** The gradient of a product: for each factor the product of all the others, right also where factors are 0. */
export function productGradient(dy: Tensor, x: Tensor, axes: number[]): Tensor {
  return tidy(() => {
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
    const order = [...kept, ...axes]
    const outer = kept.map((i) => x.shape[i])
    const moved = transpose(x, order)
    const flat = reshape(moved, [...outer, -1])
    const others = mul(cumprod(flat, kept.length, true), cumprod(flat, kept.length, true, true))
    const gradient = reshape(mul(others, reshape(dy, [...outer, 1])), moved.shape)
    return transpose(
      gradient,
      order.map((_, i) => order.indexOf(i)),
    )
  })
}

/** Attributes of AvgPool and AvgPool3D. */
export interface AveragePoolAttributes {
  filterSize: number | number[]
  strides: number | number[]
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** The gradient of average pooling. The average at a padded border is one over the pixels inside the picture; tfjs' own
 * gradient divides by the size of the window everywhere. */
export function averagePoolGradient(dy: Tensor, x: Tensor, attributes: AveragePoolAttributes): Tensor {
  const name = x.rank === 5 ? 'AvgPool3DGrad' : 'AvgPoolGrad'
  const run = (gradient: Tensor) =>
    engine().runKernel<Tensor>(name, { dy: gradient, input: x }, { ...attributes })
  if (attributes.pad === 'valid' || attributes.pad === 0) return run(dy)
  return tidy(() => {
    const { filterSize, strides, pad, dimRoundingMode } = attributes
    const { shape } = x
    const axes = shape.slice(1, -1).map((_, axis) => axis)
    const sizes = axes.map((axis) => (Array.isArray(filterSize) ? filterSize[axis] : filterSize))
    const steps = axes.map((axis) => (Array.isArray(strides) ? strides[axis] : strides))
    const fronts = padding(shape, sizes, steps, pad, dimRoundingMode)
    let factors = dy
    for (const axis of axes) {
      const values = Array.from({ length: dy.shape[axis + 1] }, (_, i) => {
        const start = i * steps[axis] - fronts[axis]
        const inside = Math.min(start + sizes[axis], shape[axis + 1]) - Math.max(start, 0)
        return sizes[axis] / inside
      })
      const broadcast = dy.shape.map((_, i) => (i === axis + 1 ? values.length : 1))
      factors = mul(factors, tensor(values, broadcast))
    }
    return run(factors)
  })
}

/** Padding in front of each spatial axis. */
function padding(
  shape: number[],
  sizes: number[],
  steps: number[],
  pad: AveragePoolAttributes['pad'],
  rounding: AveragePoolAttributes['dimRoundingMode'],
): number[] {
  if (shape.length === 5) {
    const info = backend_util.computePool3DInfo(
      shape as [number, number, number, number, number],
      sizes as [number, number, number],
      steps as [number, number, number],
      1,
      pad,
      rounding,
    ).padInfo
    return [info.front, info.top, info.left]
  }
  const info = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    sizes as [number, number],
    steps as [number, number],
    1,
    pad,
    rounding,
  ).padInfo
  return [info.top, info.left]
}

/** Attributes of MirrorPad. */
export interface MirrorPadAttributes {
  paddings: [number, number][]
  mode: 'reflect' | 'symmetric'
}

/** The gradient of mirror padding: what was copied into the border comes back. tfjs' own gradient drops the border. */
export function mirrorPadGradient(dy: Tensor, x: Tensor, { paddings, mode }: MirrorPadAttributes): Tensor {
  const offset = mode === 'reflect' ? 0 : 1
  return tidy(() => {
    let gradient = dy
    for (const [axis, [before, after]] of paddings.entries()) {
      const size = x.shape[axis]
      if (before === 0 && after === 0) continue
      const sources = Array.from({ length: before + size + after }, (_, i) => {
        const position = i - before
        if (position < 0) return -position - offset
        return position < size ? position : 2 * (size - 1) - position + offset
      })
      // The axis to the front, added up by its source, and back.
      const order = [axis, ...gradient.shape.keys()].filter((a, i) => i === 0 || a !== axis)
      const moved = transpose(gradient, order)
      const summed = unsortedSegmentSum(moved, tensor1d(sources, 'int32'), size)
      gradient = transpose(
        summed,
        order.map((_, i) => order.indexOf(i)),
      )
    }
    return gradient
  })
}
