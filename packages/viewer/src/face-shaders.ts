import { lightShader } from '@facekit/illumination'

/** What the surface shows; the numbers are those of the uniform `mode`. */
export const MODE_NUMBERS = {
  lit: 0,
  diffuse: 1,
  specular: 2,
  normals: 3,
  shape: 4,
  wireframe: 5,
  uncertainty: 6,
} as const

/** Uncertainty that is shown in the last colour, mm. */
export const MOST_UNCERTAIN = 5

/** Colours of 0, 1/4, ... 1 in uncertainty: those of viridis (matplotlib, CC0), sRGB. */
export const UNCERTAINTY_COLORS = ['#440154', '#3b528b', '#21918c', '#5ec962', '#fde725'] as const

export const vertexShader = /* glsl */ `
#include <common>
#include <morphtarget_pars_vertex>
#include <skinning_pars_vertex>
varying vec3 vPosition;
varying vec3 vNormal;
varying vec2 vUv;
varying vec4 vColor;
uniform bool drawsLines;
#ifdef HAS_UNCERTAINTY
attribute float _uncertainty;
varying float vUncertainty;
#endif

void main() {
  #include <beginnormal_vertex>
  #include <morphnormal_vertex>
  #include <skinbase_vertex>
  #include <skinnormal_vertex>
  #include <begin_vertex>
  #include <morphtarget_vertex>
  #include <skinning_vertex>
  vec4 world = modelMatrix * vec4(transformed, 1.0);
  vPosition = world.xyz;
  vNormal = inverseTransformDirection(normalMatrix * objectNormal, viewMatrix);
  vUv = uv;
  vColor = vec4(1.0);
#if defined(USE_COLOR_ALPHA)
  vColor = color;
#elif defined(USE_COLOR)
  vColor.rgb = color;
#endif
#ifdef HAS_UNCERTAINTY
  vUncertainty = _uncertainty;
#endif
  gl_Position = projectionMatrix * viewMatrix * world;
  // Lines of the wireframe lie before the surface.
  if (drawsLines) gl_Position.z -= 1e-3 * gl_Position.w;
}`

const hexadecimal = (color: string) =>
  `vec3(${[1, 3, 5].map((at) => (Number.parseInt(color.slice(at, at + 2), 16) / 255).toFixed(4)).join(', ')})`

const surface = /* glsl */ `
uniform int mode;
uniform bool photographed;   // the light of the photograph, else a preset
uniform float exposure;
uniform sampler2D map;
uniform sampler2D specularMap;
uniform sampler2D normalMap;
uniform sampler2D roughnessMap;
uniform vec3 baseColor;
uniform float baseOpacity;
uniform float alphaTest;
uniform vec3 reflectance;    // at normal incidence
uniform float roughness;
uniform float metalness;
uniform vec2 clearcoat;      // strength, roughness
uniform vec2 normalScale;
uniform bool drawsLines;
uniform sampler2D shadingMap;
uniform float shadingStrength;  // 0: none
uniform bool isShaded;          // whether the map lies over this material
varying vec3 vPosition;
varying vec3 vNormal;
varying vec2 vUv;
varying vec4 vColor;
#ifdef HAS_UNCERTAINTY
varying float vUncertainty;
#endif

// Shadows and lamps that the light of the photograph has not.
vec3 shading() {
  if (!isShaded || shadingStrength == 0.0) return vec3(1.0);
  return exp2(shadingStrength * (255.0 * texture2D(shadingMap, vUv).rgb - 128.0) * (2.0 / 127.0));
}

// The tangent frame of a texel out of its neighbours' places (Schueler, ShaderX 5).
vec3 detailed(vec3 n) {
#ifdef HAS_NORMAL_MAP
  vec3 px = dFdx(vPosition), py = dFdy(vPosition);
  vec2 ux = dFdx(vUv), uy = dFdy(vUv);
  vec3 a = cross(py, n), b = cross(n, px);
  vec3 t = a * ux.x + b * uy.x, s = a * ux.y + b * uy.y;
  float size = inversesqrt(max(max(dot(t, t), dot(s, s)), 1e-30));
  vec3 m = texture2D(normalMap, vUv).xyz * 2.0 - 1.0;
  m.xy *= normalScale;
  return normalize(t * size * m.x + s * size * m.y + n * m.z);
#else
  return n;
#endif
}

vec3 encodeGamma(vec3 c) { return pow(clamp(c, 0.0, 1.0), vec3(1.0 / 2.2)); }
`

const main = /* glsl */ `
vec3 clay(vec3 n, vec3 toCamera) {
  vec3 l = toLight * n;
  float key = max(dot(l, normalize(vec3(-0.45, 0.55, 0.8))), 0.0);
  float fill = max(dot(l, normalize(vec3(0.8, 0.1, 0.5))), 0.0);
  float edge = pow(1.0 - clamp(dot(n, toCamera), 0.0, 1.0), 3.0);
  return vec3(0.58, 0.57, 0.56) * (0.1 + 0.08 * l.y + 0.72 * key + 0.16 * fill) + 0.05 * edge;
}

vec3 uncertaintyColor(float mm) {
  vec3 colors[5] = vec3[5](${UNCERTAINTY_COLORS.map((color) => hexadecimal(color)).join(', ')});
  float at = clamp(mm / ${MOST_UNCERTAIN.toFixed(1)}, 0.0, 1.0) * 4.0;
  int i = min(int(at), 3);
  return mix(colors[i], colors[i + 1], at - float(i));
}

void main() {
  vec4 albedo = vec4(baseColor, baseOpacity) * vColor;
#ifdef HAS_MAP
  albedo *= texture2D(map, vUv);
#endif
  if (albedo.a < alphaTest) discard;
  vec3 f0 = reflectance;
#ifdef HAS_SPECULAR_MAP
  f0 *= texture2D(specularMap, vUv).rgb;
#endif
  float rough = roughness;
#ifdef HAS_ROUGHNESS_MAP
  rough *= texture2D(roughnessMap, vUv).g;
#endif
  f0 = mix(f0, albedo.rgb, metalness);
  vec3 diffuseAlbedo = albedo.rgb * (1.0 - metalness);
  vec3 toCamera = normalize(cameraPosition - vPosition);
  vec3 n = detailed(normalize(vNormal));
#ifdef OPAQUE
  float alpha = 1.0;
#else
  float alpha = mode < 2 ? albedo.a : max(albedo.a, 0.15);
#endif
  vec3 color;
  if (drawsLines) color = vec3(0.55, 0.75, 1.0);
  // At an outline a sample may hit the far side of an edge: that is not the back.
  else if (!gl_FrontFacing && dot(vNormal, toCamera) < -0.3 * length(vNormal)) color = vec3(0.2);
  else if (mode == 1) color = encodeGamma(diffuseAlbedo);
  else if (mode == 2) color = encodeGamma(4.0 * f0);
  else if (mode == 3) color = 0.5 + 0.5 * n;
  else if (mode == 4) color = encodeSrgb(clay(n, toCamera));
  else if (mode == 5) color = encodeSrgb(0.14 * clay(n, toCamera));
#ifdef HAS_UNCERTAINTY
  else if (mode == 6) color = uncertaintyColor(vUncertainty) * (0.55 + 0.45 * encodeSrgb(clay(n, toCamera)));
#else
  else if (mode == 6) color = 0.5 * encodeSrgb(clay(n, toCamera));
#endif
  else if (photographed) color = encodeGamma(exposure * lightOfPhotograph(shading() * diffuseAlbedo, f0, n, vPosition, toCamera));
  else color = encodeSrgb(toneMap(exposure * lightOfPreset(diffuseAlbedo, f0, rough, clearcoat, n, toCamera)));
  gl_FragColor = vec4(color, alpha);
}`

export const fragmentShader = lightShader + surface + main
