/** What the surface shows; the numbers are those of the uniform `mode`. */
export const MODES = { shape: 0, diffuse: 1, specular: 2, lit: 3 } as const
export type Mode = keyof typeof MODES

export const vertexShader = /* glsl */ `
attribute vec3 diffuseAlbedo;
attribute vec3 specularAlbedo;
varying vec2 mapPlace;
varying vec3 worldPosition;
varying vec3 worldNormal;
varying vec3 diffuseColor;
varying vec3 specularColor;

void main() {
#ifdef HAS_MAPS
  mapPlace = uv;
#endif
  worldPosition = position;
  worldNormal = normal;
  diffuseColor = diffuseAlbedo;
  specularColor = specularAlbedo;
  gl_Position = projectionMatrix * viewMatrix * vec4(position, 1.0);
}`

/** The reconstruction's own shading: spherical harmonics (paper, Eq. 4) plus Blinn-Phong (Eq. 5), gamma 1/2.2 after. */
export const fragmentShader = /* glsl */ `
uniform int mode;
uniform vec3 harmonics[9];
uniform mat3 toLight;        // rotates a direction of the world into the frame of the light
uniform vec3 lightPosition;  // world, mm
uniform vec3 lightColor;
uniform float shininess;
uniform float diffuseStrength;
uniform float specularStrength;
uniform vec3 clayLight;      // unit direction, world
varying vec3 worldPosition;
varying vec3 worldNormal;
varying vec3 diffuseColor;
varying vec3 specularColor;
varying vec2 mapPlace;
uniform sampler2D diffuseMap;
uniform sampler2D specularMap;
uniform sampler2D normalMap;
uniform float specularScale;

vec3 decodeSrgb(vec3 c) {
  return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}

// The tangent frame of a texel out of its neighbours' places (Schueler, ShaderX 5).
vec3 detailed(vec3 n) {
#ifdef HAS_NORMALS
  vec3 px = dFdx(worldPosition), py = dFdy(worldPosition);
  vec2 ux = dFdx(mapPlace), uy = dFdy(mapPlace);
  vec3 a = cross(py, n), b = cross(n, px);
  vec3 t = a * ux.x + b * uy.x, s = a * ux.y + b * uy.y;
  float size = inversesqrt(max(max(dot(t, t), dot(s, s)), 1e-30));
  vec3 m = texture2D(normalMap, mapPlace).xyz * 2.0 - 1.0;
  return normalize(t * size * m.x + s * size * m.y + n * m.z);
#else
  return n;
#endif
}

vec3 irradiance(vec3 n) {
  return 0.28209479 * harmonics[0]
    + 0.48860251 * (n.y * harmonics[1] + n.z * harmonics[2] + n.x * harmonics[3])
    + 1.09254843 * (n.x * n.y * harmonics[4] + n.y * n.z * harmonics[5] + n.x * n.z * harmonics[7])
    + 0.31539157 * (3.0 * n.z * n.z - 1.0) * harmonics[6]
    + 0.54627422 * (n.x * n.x - n.y * n.y) * harmonics[8];
}

vec3 encode(vec3 linear) { return pow(clamp(linear, 0.0, 1.0), vec3(1.0 / 2.2)); }

void main() {
  vec3 normal = detailed(normalize(worldNormal));
#ifdef HAS_MAPS
  vec3 diffuseAlbedo = decodeSrgb(texture2D(diffuseMap, mapPlace).rgb);
  vec3 specularAlbedo = specularScale * decodeSrgb(texture2D(specularMap, mapPlace).rgb);
#else
  vec3 diffuseAlbedo = diffuseColor;
  vec3 specularAlbedo = specularColor;
#endif
  if (!gl_FrontFacing) { gl_FragColor = vec4(vec3(0.22), 1.0); return; }
  if (mode == 0) {
    float clay = 0.05 + 0.55 * max(dot(normal, clayLight), 0.0);
    gl_FragColor = vec4(encode(clay * vec3(0.95, 0.97, 1.0)), 1.0);
  } else if (mode == 1) {
    gl_FragColor = vec4(encode(diffuseAlbedo), 1.0);
  } else if (mode == 2) {
    gl_FragColor = vec4(encode(specularAlbedo), 1.0);
  } else {
    vec3 toLamp = normalize(lightPosition - worldPosition);
    vec3 toCamera = normalize(cameraPosition - worldPosition);
    vec3 halfway = normalize(toLamp + toCamera);
    // A light behind the surface makes no highlight, see shadeSpecular.
    float highlight = pow(max(dot(normal, halfway), 1e-6), shininess) * smoothstep(0.0, 0.05, dot(normal, toLamp));
    // No light is negative; the page sees to that, the bound is for rounding.
    vec3 diffuse = diffuseAlbedo * max(irradiance(toLight * normal), 0.0);
    vec3 specular = specularAlbedo * lightColor * highlight;
    gl_FragColor = vec4(encode(diffuseStrength * diffuse + specularStrength * specular), 1.0);
  }
}`
