import { ClampToEdgeWrapping, MirroredRepeatWrapping, RepeatWrapping, Texture, type Wrapping } from 'three'
import type { GLTFLoaderPlugin, GLTFParser } from 'three/addons/loaders/GLTFLoader.js'

/** Numbers of WebGL in a glTF sampler. */
const WRAPPING: Record<number, Wrapping> = {
  10497: RepeatWrapping,
  33071: ClampToEdgeWrapping,
  33648: MirroredRepeatWrapping,
}

/** Reads a file's pictures straight from its bytes. The loader's own way makes an address of each and fetches that, which a content security
 * policy without `blob:` forbids. */
export class EmbeddedTextures implements GLTFLoaderPlugin {
  readonly name = 'facekit-embedded-textures'
  private readonly parser: GLTFParser

  constructor(parser: GLTFParser) {
    this.parser = parser
  }

  async loadTexture(index: number): Promise<Texture> {
    const { json } = this.parser
    const definition = json.textures[index]
    const source =
      definition.extensions?.EXT_texture_webp?.source ??
      definition.extensions?.EXT_texture_avif?.source ??
      definition.source
    const { bufferView, mimeType } = json.images[source]
    const bytes: ArrayBuffer = await this.parser.getDependency('bufferView', bufferView)
    const image = await createImageBitmap(new Blob([bytes], { type: mimeType }), {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    })
    const texture = new Texture(image)
    texture.flipY = false
    const sampler = json.samplers?.[definition.sampler] ?? {}
    texture.wrapS = WRAPPING[sampler.wrapS] ?? RepeatWrapping
    texture.wrapT = WRAPPING[sampler.wrapT] ?? RepeatWrapping
    texture.needsUpdate = true
    return texture
  }
}
