import { ValueError, writeFileAtomic } from '@facekit/core'
import { gunzipSync } from 'fflate'
import { encodeGlb } from './gltf/encode-glb.js'
import { encodePng, type PictureArray } from './encode-png.js'
import { checkFaceMesh, type FaceMesh } from './face-mesh.js'
import type { FaceTextures } from './face-textures.js'
import { base64 } from './base64.js'
import { captureOf, finiteNumbers } from './face-capture.js'
import type { ViewerData } from './viewer-data.js'
import { viewerBundle, viewerScriptHash } from './viewer-bundle.js'
import { viewerMarkup } from './viewer-markup.js'
import { viewerStyle } from './viewer-style.js'

/** A face, its light, and the picture it was made from, for a page to look at it. */
export interface ViewerScene {
  /** Heading of the page. */
  title: string
  /** The face in world space, as it stands before the camera: pose applied. */
  mesh: FaceMesh
  /** A .glb file to show instead of the mesh, with whatever it holds (expressions, eyes), and where it stands before the camera: 4 x 4, column by column, in
   * metres as glTF has them. */
  glb?: { bytes: Uint8Array; pose: ArrayLike<number> }
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
  /** The crop that was reconstructed, encoded; stands beside the face or under it. */
  picture?: PictureArray
  /** Rows of a table: name and value. */
  metrics?: Record<string, string | number>
  /** Files beside the page: what is to be read, and the address relative to the page. */
  downloads?: readonly { label: string; href: string }[]
}

/** Makes a page to look at a face: one HTML file that needs no network and no server.
 *
 * The page is `<facekit-viewer>` (`@facekit/viewer`) with the face inside: the photograph beside it or under it, modes, lights, expressions where
 * the face has them. In the light of the photograph it is shaded as the reconstruction is: spherical harmonics (paper,
 * Eq. 4), Blinn-Phong (Eq. 5), then gamma 1/2.2; the first view has the reconstruction's camera.
 *
 * @returns the text of the page, about 0.7 MB plus the face and its maps
 * @throws {ShapeError} when sizes do not fit together
 * @throws {ValueError} when a number is not finite, or an address of a download is not relative
 */
export async function encodeViewer(scene: ViewerScene): Promise<string> {
  const face = checkFaceMesh('encodeViewer', scene.mesh)
  const { camera, illumination } = scene
  const textures = face.uv && scene.textures
  const capture: ViewerData['capture'] = {
    ...captureOf(
      'encodeViewer',
      { camera, illumination: { ...illumination, shininess: face.shininess } },
      { textures },
    ),
    ...(scene.glb && { pose: finiteNumbers('encodeViewer: glb.pose', scene.glb.pose, 16) }),
  }
  for (const { href } of scene.downloads ?? []) {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(href)) {
      throw new ValueError(
        `encodeViewer: download "${href}" is not relative, expected a file beside the page`,
      )
    }
  }
  const data: ViewerData = {
    glb: base64(scene.glb?.bytes ?? (await encodeGlb(scene.mesh, textures && { textures }))),
    capture,
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

/** Writes the page of `encodeViewer`, whole or not at all. Node only.
 *
 * @throws as `encodeViewer`, or the file system's own error
 */
export async function writeHtmlReport(scene: ViewerScene, path: string): Promise<void> {
  await writeFileAtomic(path, await encodeViewer(scene))
}

let script: string | undefined

function viewerScript(): string {
  script ??= new TextDecoder().decode(
    gunzipSync(Uint8Array.from(atob(viewerBundle), (letter) => letter.charCodeAt(0))),
  )
  return script
}
