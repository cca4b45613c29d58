import { assertDataType, assertShape } from '@facekit/core'
import { defineKernel, float32, float32Like } from '@facekit/kernels'
import {
  add,
  mul,
  reshape,
  tidy,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { specularPass } from './cpu/specular.js'
import { blinnPhongByOperations } from './specular-operations.js'

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

const NAMES = [
  'albedo',
  'normals',
  'positions',
  'lightPosition',
  'lightColor',
  'cameraPosition',
  'shininess',
] as const
const TYPES = {
  albedo: 'float32',
  normals: 'float32',
  positions: 'float32',
  lightPosition: 'float32',
  lightColor: 'float32',
  cameraPosition: 'float32',
  shininess: 'float32',
} as const

const gradientKernel = defineKernel({
  name: 'FacekitSpecularGradient',
  inputs: { ...TYPES, upstream: 'float32' },
  outputs: (shapes) => float32Like(shapes, NAMES),
  cpu: (
    { albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess, upstream },
    gradients,
    { albedo: [batch] },
  ) =>
    specularPass(
      [albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess, upstream],
      batch,
      undefined,
      [
        gradients.albedo,
        gradients.normals,
        gradients.positions,
        gradients.lightPosition,
        gradients.lightColor,
        gradients.cameraPosition,
        gradients.shininess,
      ],
    ),
})

/** Eq. 5 with a camera for each picture: one loop over the points, where stock operations take about three times as long on WASM. */
export const specularKernel = defineKernel({
  name: 'FacekitSpecular',
  inputs: TYPES,
  outputs: ({ albedo }) => ({ color: float32(albedo) }),
  saves: NAMES,
  cpu: (
    { albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess },
    { color },
    { albedo: [batch] },
  ) =>
    specularPass(
      [albedo, normals, positions, lightPosition, lightColor, cameraPosition, shininess],
      batch,
      color,
      [],
    ),
  operations(inputs) {
    const rows = (tensor: Tensor, columns: number) => reshape(tensor, [inputs.albedo.shape[0], -1, columns])
    const color = blinnPhongByOperations({
      albedo: rows(inputs.albedo, 3),
      normals: rows(inputs.normals, 3),
      positions: rows(inputs.positions, 3),
      lightPosition: rows(inputs.lightPosition, 3),
      lightColor: rows(inputs.lightColor, 3),
      cameraPosition: rows(inputs.cameraPosition, 3),
      shininess: rows(inputs.shininess, 1),
    })
    return reshape(color, inputs.albedo.shape)
  },
  recordsOperations: true,
  gradient: ({ upstream, saved }) => gradientKernel({ ...saved, upstream: upstream.color }),
})

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
 * @differentiable every argument (first order)
 * @memory the caller owns the result
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
    // A camera for each picture, so that the gradient of a shared one is summed by the addition.
    const cameras = shared ? add(mul(lightPosition, 0), cameraPosition) : cameraPosition
    return specularKernel({ ...input, cameraPosition: cameras }) as T
  })
}
