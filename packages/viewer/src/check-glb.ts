import { ModelFormatError } from '@facekit/core'

const MAGIC = 0x46546c67
const JSON_CHUNK = 0x4e4f534a
/** Far above any face: an accessor without data takes memory by its count alone. */
const MOST_ELEMENTS = 20_000_000
const EXTENSIONS = new Set([
  'KHR_materials_specular',
  'KHR_materials_ior',
  'KHR_materials_clearcoat',
  'KHR_materials_emissive_strength',
  'KHR_materials_transmission',
  'KHR_materials_sheen',
  'KHR_materials_unlit',
  'KHR_mesh_quantization',
  'KHR_texture_transform',
  'EXT_texture_webp',
  'EXT_texture_avif',
])

interface GltfText {
  accessors?: { count?: unknown }[]
  buffers?: { uri?: unknown }[]
  images?: { uri?: unknown }[]
  extensionsRequired?: unknown[]
}

/** Checks that bytes are one self-contained binary glTF 2.0 that this viewer can read, before any memory is taken for it.
 *
 * @throws {ModelFormatError} when they are not, or when the file wants something from elsewhere
 */
export function checkGlb(bytes: ArrayBuffer): void {
  const view = new DataView(bytes)
  if (bytes.byteLength < 20 || view.getUint32(0, true) !== MAGIC) fail('is not a .glb file (binary glTF)')
  const version = view.getUint32(4, true)
  if (version !== 2) fail(`is glTF version ${version}, expected 2`)
  const length = view.getUint32(8, true)
  if (length > bytes.byteLength) fail(`is cut off: ${bytes.byteLength} of ${length} bytes are there`)
  const textLength = view.getUint32(12, true)
  if (view.getUint32(16, true) !== JSON_CHUNK || 20 + textLength > length)
    fail('does not begin with its JSON')
  let gltf: GltfText
  try {
    gltf = listsOf(JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, textLength))))
  } catch {
    fail('holds JSON that cannot be read')
  }
  for (const [kind, list] of [
    ['buffer', gltf.buffers],
    ['picture', gltf.images],
  ] as const) {
    if (list?.some(({ uri }) => uri !== undefined))
      fail(`has a ${kind} outside of itself; export it as one self-contained .glb`)
  }
  if (gltf.accessors?.some(({ count }) => typeof count !== 'number' || !(count <= MOST_ELEMENTS)))
    fail(`has an accessor of more than ${MOST_ELEMENTS} elements`)
  const unknown = gltf.extensionsRequired?.filter((name) => !EXTENSIONS.has(String(name))) ?? []
  if (unknown.length > 0)
    fail(`needs ${unknown.join(', ')}, which this viewer does not read; export it without compression`)
}

/** The lists that are looked at; whatever stands in the place of one of their objects is an error. */
function listsOf(json: unknown): GltfText {
  const { accessors, buffers, images, extensionsRequired } = json as Record<string, unknown>
  for (const list of [accessors, buffers, images, extensionsRequired])
    if (list !== undefined && !Array.isArray(list)) throw new TypeError('no list')
  for (const list of [accessors, buffers, images] as unknown[][])
    if (list?.some((value) => typeof value !== 'object' || value === null)) throw new TypeError('no object')
  return json as GltfText
}

function fail(problem: string): never {
  throw new ModelFormatError(`facekit-viewer: the file ${problem}`)
}
