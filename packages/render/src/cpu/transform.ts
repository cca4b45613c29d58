/** Entries of R = Rz(roll) Ry(yaw) Rx(pitch), row by row. */
function rotationEntries(pitch: number, yaw: number, roll: number): Float64Array {
  const [sx, cx] = [Math.sin(pitch), Math.cos(pitch)]
  const [sy, cy] = [Math.sin(yaw), Math.cos(yaw)]
  const [sz, cz] = [Math.sin(roll), Math.cos(roll)]
  return Float64Array.of(
    cz * cy,
    cz * sy * sx - sz * cx,
    cz * sy * cx + sz * sx,
    sz * cy,
    sz * sy * sx + cz * cx,
    sz * sy * cx - cz * sx,
    -sy,
    cy * sx,
    cy * cx,
  )
}

type Numbers = Float32Array | Int32Array

/** Arguments as arrays. */
export interface TransformArrays {
  vertices: Numbers
  rotation: Numbers
  translation: Numbers
  scale: Numbers
  batch: number
  count: number
}

/** Writes `scale * R * (v + translation)` for all vertices. */
export function transformForward(arrays: TransformArrays, result: Numbers): void {
  const { vertices, rotation, translation, scale, batch, count } = arrays
  for (let b = 0; b < batch; b++) {
    const r = rotationEntries(rotation[b * 3], rotation[b * 3 + 1], rotation[b * 3 + 2])
    const [a, d, g, e, f, h, i, j, k] = r.map((entry) => entry * scale[b])
    const [tx, ty, tz] = translation.subarray(b * 3, b * 3 + 3)
    for (let v = b * count * 3, end = v + count * 3; v < end; v += 3) {
      const x = vertices[v] + tx
      const y = vertices[v + 1] + ty
      const z = vertices[v + 2] + tz
      result[v] = a * x + d * y + g * z
      result[v + 1] = e * x + f * y + h * z
      result[v + 2] = i * x + j * y + k * z
    }
  }
}

/** Writes the gradients: with M = sum of gradient times (v + t), transposed: dL/dscale = <R, M>, dL/dangle = scale <dR/dangle, M>. */
export function transformBackward(
  arrays: TransformArrays,
  gradient: Numbers,
  result: Pick<TransformArrays, 'vertices' | 'rotation' | 'translation' | 'scale'>,
): void {
  const { vertices, rotation, translation, scale, batch, count } = arrays
  for (let b = 0; b < batch; b++) {
    const angles = rotation.subarray(b * 3, b * 3 + 3)
    const r = rotationEntries(angles[0], angles[1], angles[2])
    const factor = scale[b]
    const [tx, ty, tz] = translation.subarray(b * 3, b * 3 + 3)
    const m = new Float64Array(9)
    let [sumX, sumY, sumZ] = [0, 0, 0]
    let [m0, m1, m2, m3, m4, m5, m6, m7, m8] = m
    const [r0, r1, r2, r3, r4, r5, r6, r7, r8] = r.map((entry) => entry * factor)
    for (let v = b * count * 3, end = v + count * 3; v < end; v += 3) {
      const gx = gradient[v]
      const gy = gradient[v + 1]
      const gz = gradient[v + 2]
      const x = vertices[v] + tx
      const y = vertices[v + 1] + ty
      const z = vertices[v + 2] + tz
      m0 += gx * x
      m1 += gx * y
      m2 += gx * z
      m3 += gy * x
      m4 += gy * y
      m5 += gy * z
      m6 += gz * x
      m7 += gz * y
      m8 += gz * z
      const dx = r0 * gx + r3 * gy + r6 * gz
      const dy = r1 * gx + r4 * gy + r7 * gz
      const dz = r2 * gx + r5 * gy + r8 * gz
      result.vertices[v] = dx
      result.vertices[v + 1] = dy
      result.vertices[v + 2] = dz
      sumX += dx
      sumY += dy
      sumZ += dz
    }
    m.set([m0, m1, m2, m3, m4, m5, m6, m7, m8])
    result.translation.set([sumX, sumY, sumZ], b * 3)
    result.scale[b] = inner(r, m)
    for (let angle = 0; angle < 3; angle++) {
      result.rotation[b * 3 + angle] = factor * inner(rotationDerivative(angles, angle), m)
    }
  }
}

function inner(a: Float64Array, b: Float64Array): number {
  let total = 0
  for (let i = 0; i < a.length; i++) total += a[i] * b[i]
  return total
}

/** Derivative of R by one angle. Each entry of R is p cos(angle) + q sin(angle) + c, so half of the difference between a
 * quarter turn ahead and one behind is exact. */
function rotationDerivative(angles: Numbers, angle: number): Float64Array {
  const turned = (by: number) => {
    const [pitch, yaw, roll] = Array.from(angles, (value, i) => (i === angle ? value + by : value))
    return rotationEntries(pitch, yaw, roll)
  }
  const [ahead, behind] = [turned(Math.PI / 2), turned(-Math.PI / 2)]
  return ahead.map((entry, i) => (entry - behind[i]) / 2)
}
