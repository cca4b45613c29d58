import {
  DataTexture,
  DoubleSide,
  Matrix3,
  RGBAFormat,
  ShaderMaterial,
  SRGBColorSpace,
  Vector3,
  type Texture,
} from 'three'
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
uniform sampler2D diffuseMap, specularMap, normalMap, mouthMap;
uniform bool hasNormalMap, hasMouthMap, inside;
uniform float specularScale, shininess, opacity;
uniform vec3 harmonics[9];
uniform vec3 lightPosition, lightColor, eye;
// Turns directions of the face into those of the light.
uniform mat3 lightTurn;
uniform int mode;
varying vec2 vUv;
varying vec3 vNormal, vPosition;
varying float vUncertainty;

// Eq. 4: real spherical harmonics of three bands.
vec3 irradiance(vec3 n) {
  return harmonics[0] * 0.28209479
    + 0.48860251 * (harmonics[1] * n.y + harmonics[2] * n.z + harmonics[3] * n.x)
    + 1.09254843 * (harmonics[4] * n.x * n.y + harmonics[5] * n.y * n.z + harmonics[7] * n.x * n.z)
    + 0.31539157 * harmonics[6] * (3.0 * n.z * n.z - 1.0)
    + 0.54627422 * harmonics[8] * (n.x * n.x - n.y * n.y);
}

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

vec3 heat(float share) {
  return clamp(3.0 * vec3(share) - vec3(0.0, 1.0, 2.0), 0.0, 1.0);
}

void main() {
  vec3 n = normalize(vNormal);
  if (!gl_FrontFacing) n = -n;
  if (inside && (!hasMouthMap || mode > 2)) {
    gl_FragColor = vec4(0.15, 0.09, 0.09, opacity);
    return;
  }
  if (mode == 4) { gl_FragColor = vec4(n * 0.5 + 0.5, opacity); return; }
  if (mode == 5) { gl_FragColor = vec4(heat(vUncertainty / 5.0), opacity); return; }
  bool clay = mode == 3;
  if (hasNormalMap && !clay && !inside) n = relief(n);
  vec3 skin = inside ? texture2D(mouthMap, vUv).rgb : texture2D(diffuseMap, vUv).rgb;
  vec3 shine = inside ? vec3(0.0) : texture2D(specularMap, vUv).rgb * specularScale;
  vec3 color = skin;
  if (mode == 2) color = 4.0 * shine;
  if (mode == 0 || clay) {
    vec3 turned = lightTurn * n;
    vec3 position = lightTurn * vPosition;
    vec3 diffuse = max(irradiance(turned), 0.0);
    // Eq. 5 with the half vector of Blinn and Phong.
    vec3 toLight = normalize(lightPosition - position), toEye = normalize(lightTurn * eye - position);
    float highlight = pow(max(dot(turned, normalize(toLight + toEye)), 0.0), shininess) * step(0.0, dot(turned, toLight));
    color = clay ? vec3(0.6) * diffuse : skin * diffuse + shine * lightColor * highlight;
  }
  gl_FragColor = vec4(pow(clamp(color, 0.0, 1.0), vec3(1.0 / 2.2)), opacity);
}`

/** What is drawn, in the shader's numbers. */
export const modes = ['lit', 'diffuse', 'specular', 'shape', 'normal', 'uncertainty'] as const
export type Mode = (typeof modes)[number]

/** A material that shades as the fit did: Eq. 4 and 5, encoded with gamma 1/2.2. */
export class FaceMaterial extends ShaderMaterial {
  constructor(maps: FaceMaps, shininess: number, anisotropy: number) {
    const texture = (map: FaceMaps['diffuse'], isColor: boolean): Texture => {
      const made = new DataTexture(new Uint8Array(map.data.buffer), map.width, map.height, RGBAFormat)
      if (isColor) made.colorSpace = SRGBColorSpace
      // The first row is the top; the face's texture coordinates begin below.
      made.flipY = true
      made.generateMipmaps = true
      made.minFilter = 1008
      made.magFilter = 1006
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
        specularScale: { value: maps.specularScale },
        shininess: { value: shininess },
        harmonics: { value: Array.from({ length: 9 }, () => new Vector3()) },
        lightPosition: { value: new Vector3() },
        lightColor: { value: new Vector3() },
        lightTurn: { value: new Matrix3() },
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

  /** @param turn - rotation of the face in the light's space, rows first */
  setLight({ sphericalHarmonics, lightPosition, lightColor }: Light, turn: Matrix3): void {
    const { harmonics, lightTurn } = this.uniforms
    sphericalHarmonics.forEach((row, k) => (harmonics.value as Vector3[])[k].fromArray(row))
    ;(this.uniforms.lightPosition.value as Vector3).fromArray(lightPosition)
    ;(this.uniforms.lightColor.value as Vector3).fromArray(lightColor)
    ;(lightTurn.value as Matrix3).copy(turn)
  }

  override dispose(): void {
    for (const name of ['diffuseMap', 'specularMap', 'normalMap', 'mouthMap'])
      (this.uniforms[name].value as Texture | null)?.dispose()
    super.dispose()
  }
}
