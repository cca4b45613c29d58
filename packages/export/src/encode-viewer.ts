import { ShapeError, ValueError, writeFileAtomic } from '@facekit/core'
import { gunzipSync } from 'fflate'
import { encodeMap, encodePng, type PictureArray } from './encode-png.js'
import { checkFaceMesh, type FaceMesh } from './face-mesh.js'
import type { FaceTextures } from './face-textures.js'
import { base64, base64Array, type ViewerData } from './viewer-data.js'
import { viewerBundle, viewerScriptHash } from './viewer-bundle.js'
import { viewerMarkup } from './viewer-markup.js'
import { viewerStyle } from './viewer-style.js'

/** A face, its light, and the picture it was made from, for a page to look at it. */
export interface ViewerScene {
  /** Heading of the page. */
  title: string
  /** The face in world space, as it stands before the camera: pose applied. */
  mesh: FaceMesh
  /** Maps that the face wears; without them, or without `mesh.uv`, it has the colours of its vertices. */
  textures?: FaceTextures
  /** The camera of the reconstruction: vertical field of view in radians, distance in mm, on +z, for a square picture. */
  camera: { fieldOfView: number; distance: number; projection: 'perspective' | 'weak-perspective' }
  /** The light of the reconstruction, world space; `mesh.shininess` goes with it. */
  illumination: {
    /** `[9, 3]` linear RGB, row by row. */
    sphericalHarmonics: ArrayLike<number>
    /** `[3]` mm. */
    lightPosition: ArrayLike<number>
    /** `[3]` linear RGB. */
    lightColor: ArrayLike<number>
  }
  /** The crop that was reconstructed, encoded; stands beside the face. */
  picture?: PictureArray
  /** Rows of a table: name and value. */
  metrics?: Record<string, string | number>
  /** Files beside the page: what is to be read, and the address relative to the page. */
  downloads?: readonly { label: string; href: string }[]
}

/** Makes a page to look at a face: one HTML file that needs no network and no server.
 *
 * It orbits, switches between shape, diffuse and specular albedo and lit, and moves the light. The lit view is shaded as the
 * reconstruction is: spherical harmonics (paper, Eq. 4), Blinn-Phong (Eq. 5), then gamma 1/2.2; the first
 * view has the reconstruction's camera.
 *
 * @returns the text of the page, about 0.6 MB plus the face and its maps
 * @throws {ShapeError} when sizes do not fit together
 * @throws {ValueError} when a number is not finite, or an address of a download is not relative
 */
export function encodeViewer(scene: ViewerScene): string {
  const face = checkFaceMesh('encodeViewer', scene.mesh)
  const { camera, illumination } = scene
  for (const key of ['fieldOfView', 'distance'] as const) {
    if (!(Number.isFinite(camera[key]) && camera[key] > 0)) {
      throw new ValueError(`encodeViewer: camera.${key} is ${camera[key]}, expected a number above 0`)
    }
  }
  const data: ViewerData = {
    camera: { fieldOfView: camera.fieldOfView, distance: camera.distance, projection: camera.projection },
    illumination: {
      sphericalHarmonics: numbers('sphericalHarmonics', illumination.sphericalHarmonics, 27),
      lightPosition: numbers('lightPosition', illumination.lightPosition, 3) as [number, number, number],
      lightColor: numbers('lightColor', illumination.lightColor, 3) as [number, number, number],
      shininess: face.shininess,
    },
    ...(scene.textures && face.uv && { maps: mapData(scene.textures) }),
    arrays: {
      ...(scene.textures && face.uv && { uv: base64Array(face.uv) }),
      vertices: base64Array(face.vertices),
      normals: base64Array(face.normals),
      diffuse: base64Array(face.diffuse),
      specular: base64Array(face.specular),
      triangles: base64Array(face.triangles),
      innerMouthTriangles: base64Array(face.innerMouthTriangles),
    },
  }
  for (const { href } of scene.downloads ?? []) {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(href)) {
      throw new ValueError(
        `encodeViewer: download "${href}" is not relative, expected a file beside the page`,
      )
    }
  }
  return viewerMarkup({
    title: scene.title,
    style: viewerStyle,
    // A "<" could end the element that holds the text.
    data: JSON.stringify(data).replaceAll('<', String.raw`\u003c`),
    script: viewerScript(),
    scriptHash: viewerScriptHash,
    picture: scene.picture && `data:image/png;base64,${base64(encodePng(scene.picture))}`,
    metrics: Object.entries(scene.metrics ?? {}),
    downloads: scene.downloads ?? [],
  })
}

function mapData({ diffuse, specular, specularScale, normal }: FaceTextures): ViewerData['maps'] {
  const address = (map: PictureArray) => `data:image/png;base64,${base64(encodeMap(map))}`
  return {
    diffuse: address(diffuse),
    specular: address(specular),
    specularScale,
    ...(normal && { normal: address(normal) }),
  }
}

/** Writes the page of `encodeViewer`, whole or not at all. Node only.
 *
 * @throws as `encodeViewer`, or the file system's own error
 */
export async function writeHtmlReport(scene: ViewerScene, path: string): Promise<void> {
  await writeFileAtomic(path, encodeViewer(scene))
}

let script: string | undefined

function viewerScript(): string {
  script ??= new TextDecoder().decode(
    gunzipSync(Uint8Array.from(atob(viewerBundle), (letter) => letter.charCodeAt(0))),
  )
  return script
}

function numbers(name: string, values: ArrayLike<number>, count: number): number[] {
  if (values?.length !== count) {
    throw new ShapeError(
      `encodeViewer: illumination.${name} has ${values?.length} numbers, expected ${count}`,
    )
  }
  const result = Array.from(values)
  if (!result.every(Number.isFinite)) {
    throw new ValueError(
      `encodeViewer: illumination.${name} is ${result.join(', ')}, expected finite numbers`,
    )
  }
  return result
}
