import { usdPrim, usdTuple, usdNumber } from './usd-text.js'

/** A colour of a surface: a map, a colour on vertices by the name of its primvar, or one for all. */
export type UsdColor =
  | { map: string; scale?: number }
  | { primvar: string }
  | { color: readonly [number, number, number] }

/** What a material looks like. */
export interface UsdSurface {
  diffuse: UsdColor
  /** Reflectance at normal incidence. */
  specular: UsdColor
  roughness: number
  /** For programs that know no specular colour: the index of refraction of about the same reflectance. */
  ior: number
  /** Name of a map of normals, tangent space. */
  normal?: string
}

/** A material of `UsdPreviewSurface`, as text.
 *
 * It has a specular colour (`useSpecularWorkflow`), as skin has one; programs that know none find metallic 0 and an index of refraction.
 *
 * @param path - of the prim, e.g. `/face/materials/skin`
 */
export function usdMaterial(path: string, surface: UsdSurface): string {
  const nodes: string[] = []
  const input = (name: 'diffuseColor' | 'specularColor', color: UsdColor): string => {
    if ('color' in color) return `color3f inputs:${name} = ${usdTuple(color.color)}`
    if ('map' in color) {
      const scale = color.scale ?? 1
      nodes.push(
        texture(path, name, color.map, 'sRGB', [
          `float4 inputs:scale = ${usdTuple([scale, scale, scale, 1])}`,
        ]),
      )
      return `color3f inputs:${name}.connect = <${path}/${name}.outputs:rgb>`
    }
    nodes.push(
      usdPrim('Shader', name, [
        'uniform token info:id = "UsdPrimvarReader_float3"',
        `string inputs:varname = "${color.primvar}"`,
        'float3 outputs:result',
      ]),
    )
    return `color3f inputs:${name}.connect = <${path}/${name}.outputs:result>`
  }
  const lines = [
    'uniform token info:id = "UsdPreviewSurface"',
    input('diffuseColor', surface.diffuse),
    'int inputs:useSpecularWorkflow = 1',
    input('specularColor', surface.specular),
    'float inputs:metallic = 0',
    `float inputs:roughness = ${usdNumber(surface.roughness)}`,
    `float inputs:ior = ${usdNumber(surface.ior)}`,
  ]
  if (surface.normal !== undefined) {
    // Bytes of 0..1 are directions of -1..1.
    nodes.push(
      texture(path, 'normal', surface.normal, 'raw', [
        'float4 inputs:scale = (2, 2, 2, 1)',
        'float4 inputs:bias = (-1, -1, -1, 0)',
      ]),
    )
    lines.push(`normal3f inputs:normal.connect = <${path}/normal.outputs:rgb>`)
  }
  lines.push('token outputs:surface')
  if (nodes.some((node) => node.includes('UsdUVTexture')))
    nodes.push(
      usdPrim('Shader', 'st', [
        'uniform token info:id = "UsdPrimvarReader_float2"',
        'string inputs:varname = "st"',
        'float2 outputs:result',
      ]),
    )
  return usdPrim('Material', path.slice(path.lastIndexOf('/') + 1), [
    `token outputs:surface.connect = <${path}/surface.outputs:surface>`,
    usdPrim('Shader', 'surface', lines),
    ...nodes,
  ])
}

function texture(
  path: string,
  name: string,
  file: string,
  space: 'sRGB' | 'raw',
  inputs: readonly string[],
): string {
  return usdPrim('Shader', name, [
    'uniform token info:id = "UsdUVTexture"',
    `asset inputs:file = @${file}@`,
    `float2 inputs:st.connect = <${path}/st.outputs:result>`,
    `token inputs:sourceColorSpace = "${space}"`,
    'token inputs:wrapS = "clamp"',
    'token inputs:wrapT = "clamp"',
    ...inputs,
    'float3 outputs:rgb',
  ])
}
