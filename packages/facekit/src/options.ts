import type { LightName, Light } from './light-presets.js'

/** How the parameters of a face are found: by optimisation, by a network in one pass, or by the one after the other. */
export type Method = 'fit' | 'regress' | 'refine'

/** Which networks look at a photograph. */
export type Networks = 'small' | 'large'

/** How much of a head files have. */
export type HeadExtent = 'face' | 'full'

/** What `onProgress` is called with. */
export interface ReconstructProgress {
  /** `loading`: files of the package; `reading` the photograph, `finding` faces, `landmarks` of the face, its `shape` and light, its `texture`. */
  stage: 'loading' | 'reading' | 'finding' | 'landmarks' | 'shape' | 'texture'
  /** Share of the whole work that is done, 0..1; never falls. */
  progress: number
  /** Bytes that have been loaded since the page was opened; in browsers only. */
  loadedBytes: number
  /** What a user may want to know, once: that the GPU failed. */
  notice?: string
}

/** A face that was found in a photograph. */
export interface FoundFace {
  /** Pixels of the photograph; may reach outside. */
  box: { x: number; y: number; width: number; height: number }
  /** How sure the detector is, 0..1. */
  score: number
}

/** Options of every call that looks at a photograph. */
export interface PhotoOptions {
  /** Default `'auto'`: in Node wasm, cpu; in browsers webgpu (if there is a GPU and it computes rightly), wasm, cpu. */
  backend?: 'auto' | 'webgpu' | 'wasm' | 'cpu'
  /** `'small'`: 3.9 MB, the default in browsers; where they find no face, the large detector (3.5 MB) is asked, too. `'large'`: 19 MB, the default in
   * Node: they also find small and turned faces, cut out hair and glasses, and compare identity. */
  networks?: Networks
  /** In browsers: whether the work is done in a worker, which leaves the page free. Default true; false where this is a worker already. */
  worker?: boolean
  /** Stops the work; the promise is rejected with the signal's reason. */
  signal?: AbortSignal
  onProgress?: (progress: ReconstructProgress) => void
}

/** Options of `reconstruct`. */
export interface ReconstructOptions extends PhotoOptions {
  /** Which face, of several: a number from 0, largest first, or a function that chooses, called for each photograph. Default 0. */
  face?: number | ((faces: readonly FoundFace[], photograph: number) => number | Promise<number>)
  /** Default `'fit'`. The others use the face model `learned`, see its model card. */
  method?: Method
  /** Steps of gradient descent. Default: 60 for `fit`, 16 for `refine`. */
  iterations?: number
  /** Width and height of the maps, texels: a power of two from 64 to 4096; `'none'`: the model's colours at 512. Default 1024. */
  texture?: number | 'none'
  /** What `glb` and `usdz` write: the face, or with `'full'` a head with ears, neck, back and teeth, which no photograph shows but the face suggests. `geometry`, `maps`
   * and `follow` have an option of their own; `render` draws the face. Default `'face'`. */
  head?: HeadExtent
}

/** Options of `face.glb`. */
export interface GlbOptions {
  /** Whether it can be driven: at rest with the 52 blend shapes of ARKit and joints of head, jaw and eyes, its expression as weights at first. Without, the
   * mesh has the expression, and the file has half the size. Default true. */
  rig?: boolean
}

/** A change of a face's shape. */
export interface ShapeChange {
  /** Expression coefficients by name (0 at rest, 1 fully activated), or all in their order. What is not named stays. */
  expression?: Readonly<Record<string, number>> | ArrayLike<number>
  /** Identity coefficients in standard deviations, from the first on. What is not there stays. */
  identity?: ArrayLike<number>
}

/** How much of a head is wanted. */
export interface HeadOptions {
  /** `'full'`: with ears, neck and back, which no photograph shows but the face suggests; the face's vertices come first. Default `'face'`. */
  head?: HeadExtent
}

/** Options of `face.render`. */
export interface RenderOptions extends ShapeChange {
  /** W, pixels. Default 512. */
  width?: number
  /** H, pixels. Default: as `width`. */
  height?: number
  /** Turn of the head, radians: positive yaw to the right of the picture, positive pitch down. Default 0, whatever the photograph's. */
  yaw?: number
  pitch?: number
  roll?: number
  /** Default `'photograph'`. */
  light?: LightName | Light
  /** `'lit'`, `'diffuse'` and `'specular'` albedo without light, or `'shape'`: grey. Default `'lit'`. */
  mode?: 'lit' | 'diffuse' | 'specular' | 'shape'
}
