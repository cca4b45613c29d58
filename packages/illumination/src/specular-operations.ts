import { defineKernel, float32 } from '@facekit/kernels'
import {
  add,
  clipByValue,
  div,
  exp,
  greater,
  log,
  maximum,
  mul,
  neg,
  rsqrt,
  square,
  sub,
  sum,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { SMALLEST_COSINE, SMALLEST_SQUARE, TERMINATOR } from './specular-constants.js'

const dot = (a: Tensor, b: Tensor) => sum(mul(a, b), -1, true)

/** 1 / length of vectors, finite for the zero vector. */
const inverseLength = (v: Tensor) => rsqrt(maximum(sum(square(v), -1, true), SMALLEST_SQUARE))

/** Gradient of a vector from that of the same vector at unit length. */
const throughNormalize = (unit: Tensor, inverse: Tensor, gradient: Tensor) =>
  mul(sub(gradient, mul(unit, dot(unit, gradient))), inverse)

/** Blinn-Phong out of stock operations, for backends that have no kernel of their own.
 *
 * Inputs: `[B, N, 3]` albedo, normals, positions; `[B, 1, 3]` light and camera; `[B, 1, 1]` shininess. Forward and backward in closed
 * form: some 25 operations each where the tape of tfjs would make three times as many.
 */
export const blinnPhongByOperations = defineKernel({
  name: 'FacekitSpecularOperations',
  inputs: {
    albedo: 'float32',
    normals: 'float32',
    positions: 'float32',
    lightPosition: 'float32',
    lightColor: 'float32',
    cameraPosition: 'float32',
    shininess: 'float32',
  },
  outputs: ({ albedo }) => ({ color: float32(albedo) }),
  saves: ['albedo', 'normals', 'lightColor', 'shininess'],
  keeps({ albedo: [batch, count] }) {
    const vectors = float32([batch, count, 3])
    const scalars = float32([batch, count, 1])
    return {
      light: vectors,
      camera: vectors,
      half: vectors,
      lightInverse: scalars,
      cameraInverse: scalars,
      halfInverse: scalars,
      cosine: scalars,
      logarithm: scalars,
      lobe: scalars,
      ramp: scalars,
      strength: scalars,
    }
  },
  operations({ albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess }) {
    const toLight = sub(lightPosition, positions) // (B, N, 3)
    const toCamera = sub(cameraPosition, positions)
    const lightInverse = inverseLength(toLight) // (B, N, 1)
    const cameraInverse = inverseLength(toCamera)
    const light = mul(toLight, lightInverse)
    const camera = mul(toCamera, cameraInverse)
    const middle = add(light, camera)
    const halfInverse = inverseLength(middle)
    const half = mul(middle, halfInverse)
    const cosine = dot(normals, half) // (B, N, 1)
    const logarithm = log(maximum(cosine, SMALLEST_COSINE))
    const lobe = mul(exp(mul(shininess, logarithm)), greater(cosine, 0))
    const ramp = clipByValue(mul(dot(normals, light), 1 / TERMINATOR), 0, 1)
    const strength = mul(lobe, mul(square(ramp), sub(3, mul(ramp, 2))))
    const color = mul(mul(albedo, lightColor), strength)
    const inverses = { lightInverse, cameraInverse, halfInverse }
    return { color, light, camera, half, ...inverses, cosine, logarithm, lobe, ramp, strength }
  },
  gradient: ({ upstream, saved }) => tidy(() => blinnPhongGradient(upstream.color, saved)),
})

type SavedName =
  | 'albedo'
  | 'normals'
  | 'lightColor'
  | 'shininess'
  | 'light'
  | 'camera'
  | 'half'
  | 'lightInverse'
  | 'cameraInverse'
  | 'halfInverse'
  | 'cosine'
  | 'logarithm'
  | 'lobe'
  | 'ramp'
  | 'strength'

function blinnPhongGradient(dy: Tensor, saved: Readonly<Record<SavedName, Tensor>>) {
  const { albedo, normals, lightColor, shininess, light, camera, half } = saved
  const { lightInverse, cameraInverse, halfInverse, cosine, logarithm, lobe, ramp, strength } = saved
  const lit = mul(dy, strength)
  const toAlbedo = mul(lit, lightColor)
  const toLightColor = sum(mul(lit, albedo), 1, true)
  const toStrength = sum(mul(mul(dy, albedo), lightColor), -1, true) // (B, N, 1)
  const perLogarithm = mul(toStrength, strength)
  const toShininess = sum(mul(perLogarithm, logarithm), 1, true)
  const toCosine = div(mul(perLogarithm, shininess), maximum(cosine, SMALLEST_COSINE))
  // Smoothstep' = 6 t (1 - t): 0 at both ends, so the clamp needs no mask.
  const toIncidence = mul(mul(mul(toStrength, lobe), mul(ramp, sub(1, ramp))), 6 / TERMINATOR)
  const toNormals = add(mul(half, toCosine), mul(light, toIncidence))
  const toMiddle = mul(sub(normals, mul(half, cosine)), mul(toCosine, halfInverse))
  const toLightVector = throughNormalize(light, lightInverse, add(toMiddle, mul(normals, toIncidence)))
  const toCameraVector = throughNormalize(camera, cameraInverse, toMiddle)
  const toPositions = neg(add(toLightVector, toCameraVector))
  return {
    albedo: toAlbedo,
    normals: toNormals,
    positions: toPositions,
    lightPosition: sum(toLightVector, 1, true),
    lightColor: toLightColor,
    cameraPosition: sum(toCameraVector, 1, true),
    shininess: toShininess,
  }
}
