import {
  Color,
  DoubleSide,
  ShaderMaterial,
  Vector2,
  type IUniform,
  type Material,
  type MeshPhysicalMaterial,
} from 'three'
import { fragmentShader, vertexShader } from './face-shaders.js'

/** A material that shows every mode, by its uniforms. */
export type FaceMaterial = ShaderMaterial

/** Uniforms that all materials of a viewer share: mode and light. */
export type SharedUniforms = Record<string, IUniform>

/** Makes the viewer's material of one that the glTF loader made: metallic-roughness, with specular, index of refraction and maps. */
export function createFaceMaterial(
  original: Material,
  shared: SharedUniforms,
  hasUncertainty: boolean,
): FaceMaterial {
  const source = original as Partial<MeshPhysicalMaterial>
  const maps = {
    map: source.map,
    specularMap: source.specularColorMap,
    normalMap: source.normalMap,
    roughnessMap: source.roughnessMap,
  }
  const refraction = source.ior ?? 1.5
  const reflectance = ((refraction - 1) / (refraction + 1)) ** 2 * (source.specularIntensity ?? 1)
  const material = new ShaderMaterial({
    name: original.name,
    vertexShader,
    fragmentShader,
    side: DoubleSide,
    transparent: original.transparent,
    depthWrite: original.depthWrite,
    vertexColors: original.vertexColors,
    defines: {
      ...(maps.map && { HAS_MAP: 1 }),
      ...(maps.specularMap && { HAS_SPECULAR_MAP: 1 }),
      ...(maps.normalMap && { HAS_NORMAL_MAP: 1 }),
      ...(maps.roughnessMap && { HAS_ROUGHNESS_MAP: 1 }),
      ...(hasUncertainty && { HAS_UNCERTAINTY: 1 }),
    },
    uniforms: {
      ...shared,
      ...Object.fromEntries(Object.entries(maps).map(([name, value]) => [name, { value: value ?? null }])),
      baseColor: { value: source.color?.clone() ?? new Color(1, 1, 1) },
      baseOpacity: { value: original.opacity },
      alphaTest: { value: original.alphaTest },
      reflectance: {
        value: (source.specularColor?.clone() ?? new Color(1, 1, 1)).multiplyScalar(reflectance),
      },
      roughness: { value: source.roughness ?? 0.6 },
      metalness: { value: source.metalness ?? 0 },
      clearcoat: { value: new Vector2(source.clearcoat ?? 0, source.clearcoatRoughness ?? 0) },
      // v of a glTF texture runs down and the green of its normals up; the loader turns the sign for some meshes only.
      normalScale: { value: new Vector2(source.normalScale?.x ?? 1, -Math.abs(source.normalScale?.y ?? 1)) },
      drawsLines: { value: false },
      isShaded: { value: false },
    },
  })
  for (const map of [maps.map, maps.specularMap, maps.normalMap]) if (map) map.anisotropy = 8
  return material
}
