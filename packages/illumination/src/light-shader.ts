// Contributor notes. One text for the viewer and the page, so that a face looks the same in both. Light goes into skin and comes out beside it, red farthest: the
// edge of a shadow is wider and redder than on clay. Wrapped cosines are the cheap form of it (Green, GPU Gems, chapter 16). Highlights by GGX with a
// second, narrower lobe (d'Eon and Luebke, GPU Gems 3, chapter 14). The shares of the surroundings that a rough surface sends on are those of Karis, "Physically
// Based Shading on Mobile", 2014. Highlights bend towards white after the Khronos PBR Neutral tone mapper, without its subtraction of the reflectance,
// which deepens skin.

/** GLSL ES 3.00 of light on a face, for a fragment shader. It declares its uniforms and these functions; every vector is of one space, in which the light is
 * given, too, and every colour linear:
 *
 * - `vec3 lightOfPhotograph(vec3 albedo, vec3 specular, vec3 normal, vec3 position, vec3 toCamera)`: the fit's own light, Eq. 4 and 5 as in `shadeSurface`, to
 *   be encoded by the gamma of 2.2. Uniforms `harmonics[9]`, `lightPosition` (the unit of `position`), `lightColor`, `shininess`
 * - `vec3 lightOfPreset(vec3 albedo, vec3 reflectance, float roughness, vec2 clearcoat, vec3 normal, vec3 toCamera)`: lamps and surroundings of a preset on skin,
 *   to be given to `toneMap` and encoded as sRGB. Uniforms as `presetLamps` gives them. A reflectance at normal incidence is a specular albedo; the
 *   roughness of glTF belongs to an exponent of Blinn-Phong by (2 / (exponent + 2))^(1/4); clearcoat is strength and roughness
 * - `vec3 toneMap(vec3 color)`, `vec3 encodeSrgb(vec3 color)`
 *
 * `diffuseStrength` and `specularStrength` are factors of all.
 */
export const lightShader = /* glsl */ `
uniform vec3 harmonics[9];
uniform mat3 toLight;        // rotates a direction into the frame of harmonics, sky and ground
uniform vec3 lightPosition;  // of the photograph
uniform vec3 lightColor;
uniform float shininess;
uniform vec3 lampDirections[3];
uniform vec3 lampColors[3];
uniform vec3 skyColor;
uniform vec3 groundColor;
uniform float diffuseStrength;
uniform float specularStrength;

vec3 encodeSrgb(vec3 c) {
  c = clamp(c, 0.0, 1.0);
  return mix(12.92 * c, 1.055 * pow(c, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, c));
}

vec3 irradiance(vec3 n) {
  return 0.28209479 * harmonics[0]
    + 0.48860251 * (n.y * harmonics[1] + n.z * harmonics[2] + n.x * harmonics[3])
    + 1.09254843 * (n.x * n.y * harmonics[4] + n.y * n.z * harmonics[5] + n.x * n.z * harmonics[7])
    + 0.31539157 * (3.0 * n.z * n.z - 1.0) * harmonics[6]
    + 0.54627422 * (n.x * n.x - n.y * n.y) * harmonics[8];
}

vec3 lightOfPhotograph(vec3 albedo, vec3 specular, vec3 n, vec3 position, vec3 toCamera) {
  vec3 toLamp = normalize(lightPosition - position);
  vec3 halfway = normalize(toLamp + toCamera);
  // A light behind the surface makes no highlight, see shadeSpecular.
  float highlight = pow(max(dot(n, halfway), 1e-6), shininess) * smoothstep(0.0, 0.05, dot(n, toLamp));
  // No light is negative.
  vec3 diffuse = albedo * max(irradiance(toLight * n), 0.0);
  return diffuseStrength * diffuse + specularStrength * specular * lightColor * highlight;
}

const vec3 WRAP = vec3(0.28, 0.14, 0.09);

float distribution(float nh, float alpha) {
  float a = alpha * alpha;
  float d = nh * nh * (a - 1.0) + 1.0;
  return a / (3.14159265 * d * d);
}

float visibility(float nl, float nv, float alpha) {
  float a = alpha * alpha;
  return 0.5 / (nl * sqrt(nv * nv * (1.0 - a) + a) + nv * sqrt(nl * nl * (1.0 - a) + a) + 1e-5);
}

vec3 schlick(vec3 f0, float vh) { return f0 + (1.0 - f0) * pow(1.0 - vh, 5.0); }

vec3 surroundings(float up, float soft) { return mix(groundColor, skyColor, smoothstep(-soft, soft, up)); }

vec3 lightOfPreset(vec3 albedo, vec3 f0, float rough, vec2 clearcoat, vec3 n, vec3 toCamera) {
  float nv = clamp(dot(n, toCamera), 1e-3, 1.0);
  float alpha = max(rough * rough, 0.02);
  float coat = max(clearcoat.y * clearcoat.y, 0.01);
  float up = (toLight * n).y;
  vec3 diffuse = surroundings(up, 1.2);
  vec3 r = toLight * reflect(-toCamera, n);
  vec4 k = rough * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
  float bend = min(k.x * k.x, exp2(-9.28 * nv)) * k.x + k.y;
  vec2 share = vec2(-1.04, 1.04) * bend + k.zw;
  vec3 specular = 0.6 * surroundings(r.y, 0.3 + rough) * (f0 * share.x + share.y);
  specular += clearcoat.x * surroundings(r.y, 0.4) * schlick(vec3(0.04), nv);
  for (int i = 0; i < 3; i++) {
    vec3 l = lampDirections[i];
    float cosine = dot(n, l);
    diffuse += lampColors[i] * clamp((cosine + WRAP) / (1.0 + WRAP), 0.0, 1.0) / (1.0 + WRAP);
    if (cosine <= 0.0) continue;
    vec3 h = normalize(l + toCamera);
    float nh = clamp(dot(n, h), 0.0, 1.0);
    float d = mix(distribution(nh, alpha), distribution(nh, 0.5 * alpha), 0.15);
    vec3 f = schlick(f0, clamp(dot(toCamera, h), 0.0, 1.0));
    vec3 arriving = 3.14159265 * cosine * lampColors[i];
    specular += arriving * d * visibility(cosine, nv, alpha) * f;
    specular += clearcoat.x * 0.04 * arriving * min(distribution(nh, coat) * visibility(cosine, nv, coat), 40.0);
  }
  return diffuseStrength * albedo * (1.0 - f0) * diffuse + specularStrength * specular;
}

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
