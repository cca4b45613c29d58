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

/** Lamps of a preset, at most. */
export const LAMPS = 3

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
uniform vec3 harmonics[9];
uniform mat3 toLight;        // rotates a direction of the world into the frame of the light
uniform bool photographed;   // the light of the photograph, else a preset
uniform vec3 lightPosition;  // of the photograph; world, m
uniform vec3 lightColor;
uniform float shininess;
uniform vec3 lampDirections[${LAMPS}];
uniform vec3 lampColors[${LAMPS}];
uniform vec3 skyColor;
uniform vec3 groundColor;
uniform float diffuseStrength;
uniform float specularStrength;
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
varying vec3 vPosition;
varying vec3 vNormal;
varying vec2 vUv;
varying vec4 vColor;
#ifdef HAS_UNCERTAINTY
varying float vUncertainty;
#endif

const float PI = 3.14159265;

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

vec3 encodeSrgb(vec3 c) {
  c = clamp(c, 0.0, 1.0);
  return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

vec3 encodeGamma(vec3 c) { return pow(clamp(c, 0.0, 1.0), vec3(1.0 / 2.2)); }
`

const photograph = /* glsl */ `
vec3 irradiance(vec3 n) {
  return 0.28209479 * harmonics[0]
    + 0.48860251 * (n.y * harmonics[1] + n.z * harmonics[2] + n.x * harmonics[3])
    + 1.09254843 * (n.x * n.y * harmonics[4] + n.y * n.z * harmonics[5] + n.x * n.z * harmonics[7])
    + 0.31539157 * (3.0 * n.z * n.z - 1.0) * harmonics[6]
    + 0.54627422 * (n.x * n.x - n.y * n.y) * harmonics[8];
}

// The reconstruction's own shading: spherical harmonics (paper, Eq. 4) plus Blinn-Phong (Eq. 5).
vec3 lightOfPhotograph(vec3 albedo, vec3 specular, vec3 n, vec3 toCamera) {
  vec3 toLamp = normalize(lightPosition - vPosition);
  vec3 halfway = normalize(toLamp + toCamera);
  // A light behind the surface makes no highlight, see shadeSpecular.
  float highlight = pow(max(dot(n, halfway), 1e-6), shininess) * smoothstep(0.0, 0.05, dot(n, toLamp));
  // No light is negative; the viewer sees to that, the bound is for rounding.
  vec3 diffuse = albedo * max(irradiance(toLight * n), 0.0);
  return diffuseStrength * diffuse + specularStrength * specular * lightColor * highlight;
}
`

// Light goes into skin and comes out beside it, red farthest: the edge of a shadow is wider and redder than on clay. Wrapped cosines are the cheap
// form of it (Green, GPU Gems, chapter 16). Highlights by GGX with a second, narrower lobe (d'Eon and Luebke, GPU Gems 3, chapter 14).
const presets = /* glsl */ `
const vec3 WRAP = vec3(0.28, 0.14, 0.09);

float distribution(float nh, float alpha) {
  float a = alpha * alpha;
  float d = nh * nh * (a - 1.0) + 1.0;
  return a / (PI * d * d);
}

float visibility(float nl, float nv, float alpha) {
  float a = alpha * alpha;
  return 0.5 / (nl * sqrt(nv * nv * (1.0 - a) + a) + nv * sqrt(nl * nl * (1.0 - a) + a) + 1e-5);
}

vec3 schlick(vec3 f0, float vh) { return f0 + (1.0 - f0) * pow(1.0 - vh, 5.0); }

vec3 surroundings(float up, float soft) { return mix(groundColor, skyColor, smoothstep(-soft, soft, up)); }

vec3 lightOfPreset(vec3 albedo, vec3 f0, float rough, vec3 n, vec3 toCamera) {
  float nv = clamp(dot(n, toCamera), 1e-3, 1.0);
  float alpha = max(rough * rough, 0.02);
  float coat = max(clearcoat.y * clearcoat.y, 0.01);
  float up = (toLight * n).y;
  vec3 diffuse = surroundings(up, 1.2);
  vec3 r = toLight * reflect(-toCamera, n);
  // The share of the surroundings that a rough surface sends on (Karis, "Physically Based Shading on Mobile", 2014).
  vec4 k = rough * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
  float bend = min(k.x * k.x, exp2(-9.28 * nv)) * k.x + k.y;
  vec2 share = vec2(-1.04, 1.04) * bend + k.zw;
  vec3 specular = 0.6 * surroundings(r.y, 0.3 + rough) * (f0 * share.x + share.y);
  specular += clearcoat.x * surroundings(r.y, 0.4) * schlick(vec3(0.04), nv);
  for (int i = 0; i < ${LAMPS}; i++) {
    vec3 l = lampDirections[i];
    float cosine = dot(n, l);
    diffuse += lampColors[i] * clamp((cosine + WRAP) / (1.0 + WRAP), 0.0, 1.0) / (1.0 + WRAP);
    if (cosine <= 0.0) continue;
    vec3 h = normalize(l + toCamera);
    float nh = clamp(dot(n, h), 0.0, 1.0);
    float d = mix(distribution(nh, alpha), distribution(nh, 0.5 * alpha), 0.15);
    vec3 f = schlick(f0, clamp(dot(toCamera, h), 0.0, 1.0));
    vec3 arriving = PI * cosine * lampColors[i];
    specular += arriving * d * visibility(cosine, nv, alpha) * f;
    specular += clearcoat.x * 0.04 * arriving * min(distribution(nh, coat) * visibility(cosine, nv, coat), 40.0);
  }
  return diffuseStrength * albedo * (1.0 - f0) * diffuse + specularStrength * specular;
}

// Highlights bend towards white and colours stay what they are (after the Khronos PBR Neutral tone mapper, without its subtraction
// of the reflectance, which deepens skin).
vec3 toneMap(vec3 c) {
  float start = 0.7;
  float peak = max(c.r, max(c.g, c.b));
  if (peak < start) return c;
  float d = 1.0 - start;
  float bent = 1.0 - d * d / (peak + d - start);
  c *= bent / peak;
  return mix(c, vec3(bent), 1.0 - 1.0 / (0.15 * (peak - bent) + 1.0));
}
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
  else if (photographed) color = encodeGamma(exposure * lightOfPhotograph(diffuseAlbedo, f0, n, toCamera));
  else color = encodeSrgb(toneMap(exposure * lightOfPreset(diffuseAlbedo, f0, rough, n, toCamera)));
  gl_FragColor = vec4(color, alpha);
}`

export const fragmentShader = surface + photograph + presets + main
