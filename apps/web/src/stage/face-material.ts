import {
  DataTexture,
  DoubleSide,
  LinearFilter,
  LinearMipmapLinearFilter,
  Matrix3,
  RGBAFormat,
  ShaderMaterial,
  SRGBColorSpace,
  Vector3,
  type Texture,
} from 'three'
import { lightPresets, lightShader, presetLamps, type LightPresetName } from '@facekit/illumination'
import type { FaceMaps, Light } from 'facekit'

const vertexShader = /* glsl */ `
attribute float uncertainty;
attribute vec2 mouthUv;
uniform bool inside;
varying vec2 vUv;
varying vec3 vNormal, vPosition;
varying float vUncertainty;
void main() {
  vUv = inside ? mouthUv : uv;
  vUncertainty = uncertainty;
  vNormal = normalize(mat3(modelMatrix) * normal);
  vec4 world = modelMatrix * vec4(position, 1.0);
  vPosition = world.xyz;
  gl_Position = projectionMatrix * viewMatrix * world;
}`

const fragmentShader = /* glsl */ `
${lightShader}
uniform sampler2D diffuseMap, specularMap, normalMap, mouthMap;
uniform sampler2D shadingMap;
uniform bool hasNormalMap, hasMouthMap, hasShading, inside, photographed;
uniform float specularScale, opacity;
uniform vec3 eye;
// Turns directions of the face into those of the light.
uniform mat3 lightTurn;
uniform int mode;
varying vec2 vUv;
varying vec3 vNormal, vPosition;
varying float vUncertainty;

// Relief of a map in tangent space, the tangents from the derivatives of the texture coordinates.
vec3 relief(vec3 n) {
  vec3 dx = dFdx(vPosition), dy = dFdy(vPosition);
  vec2 ux = dFdx(vUv), uy = dFdy(vUv);
  vec3 across = cross(dy, n), along = cross(n, dx);
  vec3 t = across * ux.x + along * uy.x, b = across * ux.y + along * uy.y;
  float longest = max(dot(t, t), dot(b, b));
  if (longest == 0.0) return n;
  float scale = inversesqrt(longest) * sign(dot(cross(dx, dy), n));
  vec3 m = texture2D(normalMap, vUv).xyz * 2.0 - 1.0;
  return normalize(mat3(t * scale, b * scale, n) * m);
}

// Viridis (matplotlib, CC0), sRGB: from sure to unsure.
vec3 viridis(float share) {
  vec3 colors[5] = vec3[5](vec3(0.267, 0.004, 0.329), vec3(0.231, 0.322, 0.545), vec3(0.129, 0.569, 0.549), vec3(0.369, 0.788, 0.384), vec3(0.992, 0.906, 0.145));
  float at = clamp(share, 0.0, 1.0) * 4.0;
  int i = min(int(at), 3);
  return mix(colors[i], colors[i + 1], at - float(i));
}

void main() {
  vec3 n = normalize(vNormal);
  if (!gl_FrontFacing) n = -n;
  if (inside && (!hasMouthMap || mode > 2)) {
    gl_FragColor = vec4(0.15, 0.09, 0.09, opacity);
    return;
  }
  if (mode == 4) { gl_FragColor = vec4(n * 0.5 + 0.5, opacity); return; }
  if (mode == 5) {
    // A little shading, so that the form is seen.
    gl_FragColor = vec4(viridis(vUncertainty / 5.0) * (0.6 + 0.4 * max(n.z, 0.0)), opacity);
    return;
  }
  bool clay = mode == 3;
  if (hasNormalMap && !clay && !inside) n = relief(n);
  vec3 skin = inside ? texture2D(mouthMap, vUv).rgb : texture2D(diffuseMap, vUv).rgb;
  vec3 shine = inside ? vec3(0.0) : texture2D(specularMap, vUv).rgb * specularScale;
  if (mode == 1) { gl_FragColor = vec4(encodeSrgb(skin), opacity); return; }
  if (mode == 2) { gl_FragColor = vec4(encodeSrgb(4.0 * shine), opacity); return; }
  if (clay) { skin = vec3(0.6); shine = vec3(0.0); }
  // All in the space of the light.
  vec3 normal = lightTurn * n, position = lightTurn * vPosition;
  vec3 toCamera = normalize(lightTurn * eye - position);
  vec3 color;
  // Shadows and lamps that the light of the photograph has not.
  if (photographed && hasShading && !inside && !clay)
    skin *= exp2((255.0 * texture2D(shadingMap, vUv).rgb - 128.0) * (2.0 / 127.0));
  if (photographed) color = pow(clamp(lightOfPhotograph(skin, shine, normal, position, toCamera), 0.0, 1.0), vec3(1.0 / 2.2));
  // glTF's roughness for the exponent, as files have it.
  else color = encodeSrgb(toneMap(lightOfPreset(skin, shine, pow(2.0 / (shininess + 2.0), 0.25), vec2(0.0), normal, toCamera)));
  gl_FragColor = vec4(color, opacity);
}`

/** What is drawn, in the shader's numbers. */
export const modes = ['lit', 'diffuse', 'specular', 'shape', 'normal', 'uncertainty'] as const
export type Mode = (typeof modes)[number]

/** A material that shades as the fit did in the photograph's light, and as `<facekit-viewer>` does in that of a preset. */
export class FaceMaterial extends ShaderMaterial {
  constructor(maps: FaceMaps, shininess: number, anisotropy: number) {
    const texture = (map: FaceMaps['diffuse'], isColor: boolean, isCoarse = false): Texture => {
      const made = new DataTexture(new Uint8Array(map.data.buffer), map.width, map.height, RGBAFormat)
      if (isColor) made.colorSpace = SRGBColorSpace
      // The first row is the top; the face's texture coordinates begin below.
      made.flipY = true
      made.generateMipmaps = !isCoarse
      made.minFilter = isCoarse ? LinearFilter : LinearMipmapLinearFilter
      made.magFilter = LinearFilter
      made.anisotropy = anisotropy
      made.needsUpdate = true
      return made
    }
    super({
      vertexShader,
      fragmentShader,
      side: DoubleSide,
      uniforms: {
        diffuseMap: { value: texture(maps.diffuse, true) },
        specularMap: { value: texture(maps.specular, true) },
        normalMap: { value: maps.normal ? texture(maps.normal, false) : null },
        hasNormalMap: { value: Boolean(maps.normal) },
        mouthMap: { value: maps.mouth ? texture(maps.mouth, true) : null },
        hasMouthMap: { value: Boolean(maps.mouth) },
        shadingMap: { value: maps.shading ? texture(maps.shading, false, true) : null },
        hasShading: { value: Boolean(maps.shading) },
        specularScale: { value: maps.specularScale },
        shininess: { value: shininess },
        harmonics: { value: vectors(9) },
        lightPosition: { value: new Vector3() },
        lightColor: { value: new Vector3() },
        lightTurn: { value: new Matrix3() },
        // Light is turned with the face, not by itself.
        toLight: { value: new Matrix3() },
        photographed: { value: true },
        lampDirections: { value: vectors(3) },
        lampColors: { value: vectors(3) },
        skyColor: { value: new Vector3() },
        groundColor: { value: new Vector3() },
        diffuseStrength: { value: 1 },
        specularStrength: { value: 1 },
        eye: { value: new Vector3() },
        mode: { value: 0 },
        opacity: { value: 1 },
        inside: { value: false },
      },
    })
  }

  /** The same for what is seen between the lips. */
  mouth(): ShaderMaterial {
    const { opacity } = this.uniforms
    return new ShaderMaterial({
      vertexShader,
      fragmentShader,
      side: DoubleSide,
      uniforms: { ...this.uniforms, opacity, inside: { value: true } },
    })
  }

  set mode(mode: Mode) {
    this.uniforms.mode.value = modes.indexOf(mode)
  }

  /** The light of the photograph.
   *
   * @param turn - rotation of the face in the light's space, rows first
   */
  setPhotographLight({ sphericalHarmonics, lightPosition, lightColor }: Light, turn: Matrix3): void {
    const { harmonics, lightTurn, photographed } = this.uniforms
    photographed.value = true
    sphericalHarmonics.forEach((row, k) => (harmonics.value as Vector3[])[k].fromArray(row))
    ;(this.uniforms.lightPosition.value as Vector3).fromArray(lightPosition)
    ;(this.uniforms.lightColor.value as Vector3).fromArray(lightColor)
    ;(lightTurn.value as Matrix3).copy(turn)
  }

  /** A light before the face. */
  setPresetLight(name: LightPresetName): void {
    const lamps = presetLamps(lightPresets[name])
    this.uniforms.photographed.value = false
    ;(this.uniforms.lightTurn.value as Matrix3).identity()
    for (const uniform of ['lampDirections', 'lampColors'] as const)
      lamps[uniform].forEach((value, i) => (this.uniforms[uniform].value as Vector3[])[i].fromArray(value))
    for (const uniform of ['skyColor', 'groundColor'] as const)
      (this.uniforms[uniform].value as Vector3).fromArray(lamps[uniform])
  }

  override dispose(): void {
    for (const name of ['diffuseMap', 'specularMap', 'normalMap', 'mouthMap', 'shadingMap'])
      (this.uniforms[name].value as Texture | null)?.dispose()
    super.dispose()
  }
}

const vectors = (count: number) => Array.from({ length: count }, () => new Vector3())
