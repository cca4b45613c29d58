import {
  add,
  clipByValue,
  customGrad,
  div,
  exp,
  greater,
  log,
  maximum,
  mul,
  neg,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
  tidy,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { assertDataType, assertShape } from '@facekit/core'

/** Arguments of `shadeSpecular`. */
export interface SpecularInput<T extends Tensor3D | Tensor4D> {
  /** `[B, N, 3]` or `[B, H, W, 3]` specular albedo, linear RGB. */
  albedo: T
  /** Like `albedo`, unit length, world space. */
  normals: T
  /** Like `albedo`, world space, the unit of `lightPosition` (mm in facekit). */
  positions: T
  /** `[B, 3]` world space. */
  lightPosition: Tensor2D
  /** `[B, 3]` linear RGB. */
  lightColor: Tensor2D
  /** `[B, 3]`, or `[3]` shared by the batch; world space. */
  cameraPosition: Tensor2D | Tensor1D
  /** `[B, 1]` exponent, at least 1. */
  shininess: Tensor2D
}

/** The highlight fades in while the cosine of the angle of incidence rises from 0 to this. */
const TERMINATOR = 0.05
/** Smallest cosine whose logarithm is taken. */
const SMALLEST_COSINE = 1e-6
/** Smallest squared length that is divided by. */
const SMALLEST_SQUARE = 1e-12

const dot = (a: Tensor, b: Tensor) => sum(mul(a, b), -1, true)

/** 1 / length of vectors, finite for the zero vector. */
const inverseLength = (v: Tensor) => rsqrt(maximum(sum(square(v), -1, true), SMALLEST_SQUARE))

/** Gradient of a vector from that of the same vector at unit length. */
const throughNormalize = (unit: Tensor, inverse: Tensor, gradient: Tensor) =>
  mul(sub(gradient, mul(unit, dot(unit, gradient))), inverse)

/** Forward and backward in closed form: some 25 operations each where the tape of tfjs would make three times as many. */
const blinnPhong = customGrad((...inputs) => {
  const [albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess] =
    inputs as Tensor[]
  const save = inputs[7] as unknown as (tensors: Tensor[]) => void
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
  save([
    albedo,
    normals,
    lightColor,
    shininess,
    light,
    camera,
    half,
    lightInverse,
    cameraInverse,
    halfInverse,
    cosine,
    logarithm,
    lobe,
    ramp,
    strength,
  ])
  return { value: mul(mul(albedo, lightColor), strength), gradFunc: blinnPhongGradient }
})

function blinnPhongGradient(dy: Tensor, saved: Tensor[]): Tensor[] {
  const [albedo, normals, lightColor, shininess, light, camera, half] = saved
  const [lightInverse, cameraInverse, halfInverse, cosine, logarithm, lobe, ramp, strength] = saved.slice(7)
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
  return [
    toAlbedo,
    toNormals,
    toPositions,
    sum(toLightVector, 1, true),
    toLightColor,
    sum(toCameraVector, 1, true),
    toShininess,
  ]
}

/** Colour of the highlight that one point light makes on a surface (Blinn-Phong).
 *
 * c = albedo * lightColor * max(0, n . h)^shininess * s(n . l),  h = (l + o) / |l + o|          (MM '22 paper, Eq. 5)
 *
 * l and o are the unit vectors from the surface to the light and to the camera; the light does not fall off with the distance.
 * s is ours: a light behind the surface makes no highlight. It is exactly 0 for n . l <= 0, exactly 1 for n . l >= 0.05, and a
 * smooth step between, so that value and gradient are continuous where a hard test would jump. Where n . h <= 0 value and
 * gradient are 0, for every shininess.
 *
 * @returns like `albedo`, linear RGB, at least 0 for albedo and light of at least 0
 *
 * Differentiable: every argument (first order). Memory: the caller owns the result.
 * @throws {ShapeError} when shapes do not fit each other
 * @example a mirror direction: n = h, so the result is albedo * lightColor whatever the shininess
 */
export function shadeSpecular<T extends Tensor3D | Tensor4D>(input: SpecularInput<T>): T {
  const { albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess } = input
  const surface = albedo?.shape?.length === 4 ? ['B', 'H', 'W', 3] : ['B', 'N', 3]
  const known = assertShape('shadeSpecular: albedo', albedo, surface)
  assertShape('shadeSpecular: normals', normals, surface, known)
  assertShape('shadeSpecular: positions', positions, surface, known)
  assertShape('shadeSpecular: lightPosition', lightPosition, ['B', 3], known)
  assertShape('shadeSpecular: lightColor', lightColor, ['B', 3], known)
  const shared = cameraPosition?.shape?.length === 1
  assertShape('shadeSpecular: cameraPosition', cameraPosition, shared ? [3] : ['B', 3], known)
  assertShape('shadeSpecular: shininess', shininess, ['B', 1], known)
  for (const [name, tensor] of Object.entries(input)) {
    assertDataType(`shadeSpecular: ${name}`, tensor as Tensor, 'float32')
  }
  return tidy(() => {
    const rows = (tensor: Tensor, columns: number) => reshape(tensor, [known.B, -1, columns])
    // A camera for each picture, so that the gradient of a shared one is summed by the addition.
    const cameras = shared ? add(mul(lightPosition, 0), cameraPosition) : cameraPosition
    const color = blinnPhong(
      rows(albedo, 3),
      rows(normals, 3),
      rows(positions, 3),
      rows(lightPosition, 3),
      rows(lightColor, 3),
      rows(cameras, 3),
      rows(shininess, 1),
    )
    return reshape(color, albedo.shape) as T
  })
}
