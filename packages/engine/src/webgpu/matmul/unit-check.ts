import { type GpuBackend, convertGpuTensor } from '@facekit/kernels'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../backend/engine-backend.js'
import { unitMatrixProduct } from './unit-matmul.js'

const [ROWS, INNER, COLUMNS] = [136, 72, 88]

/** Small whole numbers: halves and their products are exact. */
const numbers = (count: number, step: number) =>
  Float32Array.from({ length: count }, (_, i) => ((i * step) % 17) - 8)

/** Tries the matrix units on products whose answer is known, in both orders of each operand, and on the largest half.
 *
 * @returns what was wrong
 */
export async function faultOfUnits(backend: GpuEngineBackend): Promise<string | undefined> {
  try {
    for (const transposed of [false, true]) {
      const fault = await faultOfProduct(backend, transposed)
      if (fault !== undefined) return fault
    }
    return await faultOfOverflow(backend)
  } catch (error) {
    return `its matrix units failed (${String((error as Error).message).split('\n')[0]})`
  }
}

async function faultOfProduct(backend: GpuEngineBackend, transposed: boolean): Promise<string | undefined> {
  const [left, right] = [numbers(ROWS * INNER, 5), numbers(INNER * COLUMNS, 7)]
  const a = upload(backend, left, transposed ? [INNER, ROWS] : [ROWS, INNER])
  const b = upload(backend, right, transposed ? [COLUMNS, INNER] : [INNER, COLUMNS])
  const product = unitMatrixProduct(backend, a, b, transposed, transposed)
  const found = (await backend.read(product.dataId)) as Float32Array
  for (const { dataId } of [a, b, product]) backend.disposeData(dataId)
  for (let i = 0; i < ROWS; i++) {
    for (let j = 0; j < COLUMNS; j++) {
      let sum = 0
      for (let k = 0; k < INNER; k++) {
        sum +=
          (transposed ? left[k * ROWS + i] : left[i * INNER + k]) *
          (transposed ? right[j * INNER + k] : right[k * COLUMNS + j])
      }
      const value = found[i * COLUMNS + j]
      if (value !== sum) return `its matrix units compute wrong: ${value} where ${sum} is right`
    }
  }
  return undefined
}

/** Halves are rounded to nearest, small ones are kept, and what is too large for one must show, or nobody knows when gradients overflow. */
async function faultOfOverflow(backend: GpuEngineBackend): Promise<string | undefined> {
  const floats = (backend as GpuBackend).makeTensorInfo(
    [8],
    'float32',
    Float32Array.of(1e5, -1e5, NaN, 65504, 1, 2 ** -24, 2049, 2051),
  )
  const halves = convertGpuTensor(backend, floats, 'float16')
  const found = [...((await backend.read(halves.dataId)) as Float32Array)]
  for (const { dataId } of [floats, halves]) backend.disposeData(dataId)
  const expected = [65504, 1, 2 ** -24, 2048, 2052]
  const finite = found.slice(0, 3).find((value) => Number.isFinite(value))
  if (finite !== undefined) return `its halves are wrong: what is too large, or no number, becomes ${finite}`
  const wrong = expected.findIndex((value, i) => value !== found[i + 3])
  return wrong < 0 ? undefined : `its halves are wrong: ${found[wrong + 3]} where ${expected[wrong]} is right`
}

function upload(backend: GpuEngineBackend, values: Float32Array, shape: number[]): TensorInfo {
  const floats = (backend as GpuBackend).makeTensorInfo(shape, 'float32', values)
  const halves = convertGpuTensor(backend, floats, 'float16')
  backend.disposeData(floats.dataId)
  return halves
}
