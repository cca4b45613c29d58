import type { HostArray } from '@facekit/kernels'
import { SMALLEST_SQUARE, TERMINATOR } from '../specular-constants.js'

const inverseLength = (x: number, y: number, z: number) =>
  1 / Math.sqrt(Math.max(x * x + y * y + z * z, SMALLEST_SQUARE))

/** Fills the colour, and, when `upstream` is given instead of `color`, the gradients, point by point.
 *
 * Inputs: albedo, normals, positions, light position, light colour, camera position, shininess, and upstream for gradients.
 * Gradients: of the first seven, in this order.
 *
 * @param stride - numbers from one point's colour to the next in `color`, which is cleared, and in upstream
 * @param offset - where the first colour begins in them
 * @param addNormals - whether the gradient of the normals is added to what is there
 */
export function specularPass(
  inputs: readonly HostArray[],
  batch: number,
  color: HostArray | undefined,
  gradients: readonly HostArray[],
  { stride = 3, offset = 0, addNormals = false } = {},
): void {
  const [albedo, normals, positions, lights, colors, cameras, shininesses, upstream] = inputs
  const [toAlbedo, toNormals, toPositions, toLight, toColor, toCamera, toShininess] = gradients
  const size = albedo.length / batch
  if (color !== undefined) color.fill(0)
  for (const gradient of gradients) if (!(addNormals && gradient === toNormals)) gradient.fill(0)
  for (let item = 0; item < batch; item++) {
    const b = 3 * item
    const shininess = shininesses[item]
    // Sums over many points in float64.
    let [lightX, lightY, lightZ, cameraX, cameraY, cameraZ, red, green, blue, exponent] = [
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]
    for (let i = item * size, o = (i / 3) * stride + offset; i < (item + 1) * size; i += 3, o += stride) {
      const nx = normals[i]
      const ny = normals[i + 1]
      const nz = normals[i + 2]
      let lx = lights[b] - positions[i]
      let ly = lights[b + 1] - positions[i + 1]
      let lz = lights[b + 2] - positions[i + 2]
      const lightInverse = inverseLength(lx, ly, lz)
      lx *= lightInverse
      ly *= lightInverse
      lz *= lightInverse
      const incidence = nx * lx + ny * ly + nz * lz
      if (!(incidence > 0)) continue
      let ox = cameras[b] - positions[i]
      let oy = cameras[b + 1] - positions[i + 1]
      let oz = cameras[b + 2] - positions[i + 2]
      const cameraInverse = inverseLength(ox, oy, oz)
      ox *= cameraInverse
      oy *= cameraInverse
      oz *= cameraInverse
      const halfInverse = inverseLength(lx + ox, ly + oy, lz + oz)
      const hx = (lx + ox) * halfInverse
      const hy = (ly + oy) * halfInverse
      const hz = (lz + oz) * halfInverse
      const cosine = nx * hx + ny * hy + nz * hz
      if (!(cosine > 0)) continue
      // A power costs as much as both, and the gradient wants the logarithm anyway.
      const logarithm = Math.log(cosine)
      const lobe = Math.exp(shininess * logarithm)
      const ramp = Math.min(1, incidence / TERMINATOR)
      const strength = lobe * ramp * ramp * (3 - 2 * ramp)
      if (color !== undefined) {
        for (let c = 0; c < 3; c++) color[o + c] = albedo[i + c] * colors[b + c] * strength
        continue
      }
      const u0 = upstream[o]
      const u1 = upstream[o + 1]
      const u2 = upstream[o + 2]
      if (u0 === 0 && u1 === 0 && u2 === 0) continue
      toAlbedo[i] = u0 * colors[b] * strength
      toAlbedo[i + 1] = u1 * colors[b + 1] * strength
      toAlbedo[i + 2] = u2 * colors[b + 2] * strength
      const r = u0 * albedo[i]
      const g = u1 * albedo[i + 1]
      const a = u2 * albedo[i + 2]
      red += r * strength
      green += g * strength
      blue += a * strength
      const toStrength = r * colors[b] + g * colors[b + 1] + a * colors[b + 2]
      exponent += toStrength * strength * logarithm
      const toCosine = (toStrength * strength * shininess) / cosine
      // Smoothstep' = 6 t (1 - t).
      const toIncidence = (toStrength * lobe * 6 * ramp * (1 - ramp)) / TERMINATOR
      toNormals[i] += toCosine * hx + toIncidence * lx
      toNormals[i + 1] += toCosine * hy + toIncidence * ly
      toNormals[i + 2] += toCosine * hz + toIncidence * lz
      const middle = toCosine * halfInverse
      const mx = middle * (nx - hx * cosine)
      const my = middle * (ny - hy * cosine)
      const mz = middle * (nz - hz * cosine)
      const gx = mx + toIncidence * nx
      const gy = my + toIncidence * ny
      const gz = mz + toIncidence * nz
      const alongLight = gx * lx + gy * ly + gz * lz
      const alongCamera = mx * ox + my * oy + mz * oz
      const dlx = (gx - lx * alongLight) * lightInverse
      const dly = (gy - ly * alongLight) * lightInverse
      const dlz = (gz - lz * alongLight) * lightInverse
      const dox = (mx - ox * alongCamera) * cameraInverse
      const doy = (my - oy * alongCamera) * cameraInverse
      const doz = (mz - oz * alongCamera) * cameraInverse
      toPositions[i] = -dlx - dox
      toPositions[i + 1] = -dly - doy
      toPositions[i + 2] = -dlz - doz
      lightX += dlx
      lightY += dly
      lightZ += dlz
      cameraX += dox
      cameraY += doy
      cameraZ += doz
    }
    if (color !== undefined) continue
    toLight.set([lightX, lightY, lightZ], b)
    toColor.set([red, green, blue], b)
    toCamera.set([cameraX, cameraY, cameraZ], b)
    toShininess[item] = exponent
  }
}
