import type { ViewerData } from '../../src/viewer-data.js'

/** The scene of this page, with its arrays decoded. */
export interface Scene extends Omit<ViewerData, 'arrays' | 'maps'> {
  uv?: Float32Array
  maps?: {
    diffuse: HTMLImageElement
    specular: HTMLImageElement
    specularScale: number
    normal?: HTMLImageElement
  }
  vertices: Float32Array
  normals: Float32Array
  diffuse: Float32Array
  specular: Float32Array
  triangles: Uint32Array
  innerMouthTriangles: Uint32Array
}

/** Reads the scene out of the page. */
export async function readScene(): Promise<Scene> {
  const text = document.querySelector('#facekit-scene')?.textContent
  if (!text) throw new Error('This page has no scene.')
  const { arrays, maps, ...rest } = JSON.parse(text) as ViewerData
  return {
    ...rest,
    ...(arrays.uv && maps && { uv: new Float32Array(decode(arrays.uv)), maps: await loadMaps(maps) }),
    vertices: new Float32Array(decode(arrays.vertices)),
    normals: new Float32Array(decode(arrays.normals)),
    diffuse: new Float32Array(decode(arrays.diffuse)),
    specular: new Float32Array(decode(arrays.specular)),
    triangles: new Uint32Array(decode(arrays.triangles)),
    innerMouthTriangles: new Uint32Array(decode(arrays.innerMouthTriangles)),
  }
}

async function loadMaps(maps: NonNullable<ViewerData['maps']>): Promise<NonNullable<Scene['maps']>> {
  const load = async (address: string) => {
    const image = new Image()
    image.src = address
    await image.decode()
    return image
  }
  const { diffuse, specular, specularScale, normal } = maps
  return {
    diffuse: await load(diffuse),
    specular: await load(specular),
    specularScale,
    ...(normal && { normal: await load(normal) }),
  }
}

function decode(base64: string): ArrayBuffer {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes.buffer
}
