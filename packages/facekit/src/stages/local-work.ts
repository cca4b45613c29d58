import type { FaceDetection } from '@facekit/annotate'
import { FacekitError, ValueError } from '@facekit/core'
import type { EngineInfo } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { disposeParameters, encodeParameters, readParameters } from '@facekit/parameters'
import type { FaceMaps, FollowedFace } from '../face.js'
import type { GlbOptions, HeadExtent, HeadOptions, RenderOptions, ShapeChange } from '../options.js'
import { isNode, type PhotoData } from '../photo-source.js'
import { annotateFace } from './annotate-face.js'
import { faceDocument } from './face-document.js'
import { faceGlb, faceUsdz, type FileFace } from './face-files.js'
import { changedFace, faceGeometry } from './face-shape.js'
import { faceMaps, faceTextures } from './face-textures.js'
import type {
  CallEvents,
  EngineChoice,
  FaceInPhoto,
  FaceWork,
  FitChoice,
  FoundParameters,
  OpenPhoto,
} from './face-work.js'
import { fitPhotos } from './fit-photos.js'
import { FrameFollower } from './frame-follower.js'
import { HeadSurface } from './head-surface.js'
import { lookForFaces } from './look-for-faces.js'
import { photographView } from './photograph-view.js'
import { progressReporter } from './progress.js'
import { readPhoto, type Photo, type SeenPhoto } from './read-photo.js'
import { renderView } from './render-view.js'
import { onEngine } from './start-engine.js'
import { warmUp } from './warm-up.js'

/** A face with all that is needed to draw and write it. */
interface KnownFace extends FileFace {
  model: MorphableModel & { uv: NonNullable<MorphableModel['uv']> }
  uncertainty: Float32Array | undefined
  surface?: Promise<HeadSurface>
}

/** The whole head of a face, made when it is asked for first. */
const headOf = (face: KnownFace): Promise<HeadSurface> =>
  (face.surface ??= HeadSurface.of(face.numbers, face.model))

/** @throws {ValueError} for any other extent */
function checkHead(head: HeadExtent = 'face'): void {
  if (head !== 'face' && head !== 'full')
    throw new ValueError(`facekit: head is ${String(head)}, expected 'face' or 'full'`)
}

const defaultNetworks = () => (isNode() ? 'large' : 'small')

/** Gives messages a chance to arrive: a call that was given up shall not go on. */
const breathe = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** The work, done in this thread, one call after the other. */
export class LocalWork implements FaceWork {
  readonly #photos = new Map<number, { photo: Photo; detections: FaceDetection[] }>()
  readonly #faces = new Map<number, KnownFace>()
  readonly #followers = new Map<number, FrameFollower>()
  readonly #loadedBytes: () => number
  #count = 0
  #last: Promise<unknown> = Promise.resolve()

  /** @param loadedBytes - how much has been fetched */
  constructor(loadedBytes: () => number = () => 0) {
    this.#loadedBytes = loadedBytes
  }

  /** tfjs has one engine for all. */
  #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(job, job)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  async prepare(
    { backend, networks = defaultNetworks(), head }: EngineChoice & HeadOptions,
    { signal }: CallEvents,
  ): Promise<void> {
    checkHead(head)
    return this.#inTurn(() => onEngine(backend, () => warmUp(networks, head, signal)))
  }

  open(
    data: PhotoData,
    { backend, networks = defaultNetworks() }: EngineChoice,
    events: CallEvents,
  ): Promise<OpenPhoto> {
    const { signal, onProgress } = events
    const report = progressReporter(onProgress, this.#loadedBytes)
    return this.#inTurn(async () => {
      signal?.throwIfAborted()
      report('reading', 0)
      const photo = await readPhoto(data)
      await breathe()
      signal?.throwIfAborted()
      report('finding', 0)
      const detections = await onEngine(
        backend,
        () => lookForFaces(photo, networks),
        (notice) => report('finding', 0, notice),
      )
      report('finding', 1)
      const number = this.#count++
      this.#photos.set(number, { photo, detections })
      const { factor } = photo
      const faces = detections.map(({ box: { x, y, width, height }, score }) => ({
        box: { x: x * factor, y: y * factor, width: width * factor, height: height * factor },
        score,
      }))
      return { photo: number, faces }
    })
  }

  async reconstruct(photos: FaceInPhoto[], options: FitChoice, events: CallEvents): Promise<FoundParameters> {
    const { method = 'fit' } = options
    if (method !== 'fit' && method !== 'regress' && method !== 'refine')
      throw new ValueError(`reconstruct: method is ${String(method)}, expected 'fit', 'regress' or 'refine'`)
    checkHead(options.head)
    if (photos.length > 1 && method !== 'fit')
      throw new ValueError(`reconstruct: method is ${method}; several photographs need 'fit'`)
    return this.#inTurn(() =>
      onEngine(
        options.backend,
        (engine) => this.#find(photos, { ...options, method }, events, engine),
        (notice) => progressReporter(events.onProgress, this.#loadedBytes)('landmarks', 0, notice),
      ),
    )
  }

  async #find(
    chosen: FaceInPhoto[],
    options: FitChoice & { method: NonNullable<FitChoice['method']> },
    { signal, onProgress }: CallEvents,
    { backend }: EngineInfo,
  ): Promise<FoundParameters> {
    const { networks = defaultNetworks(), method, iterations, texture = 1024, head = 'face' } = options
    const open = chosen.map(({ photo, index }) => ({ ...this.#photo(photo), index }))
    const report = progressReporter(onProgress, this.#loadedBytes)
    const next = async (stage: Parameters<typeof report>[0]) => {
      await breathe()
      signal?.throwIfAborted()
      report(stage, 0)
    }
    await next('landmarks')
    const seen: SeenPhoto[] = []
    for (const { photo, detections, index } of open) {
      seen.push({ photo, annotation: await annotateFace(photo, detections[index], networks, signal) })
      report('landmarks', seen.length / open.length)
    }
    await next('shape')
    const { model, result } = await fitPhotos({
      seen,
      method,
      iterations,
      signal,
      onStep: (share) => report('shape', share),
    })
    try {
      const [numbers] = await readParameters(result.parameters)
      const encoded = encodeParameters(numbers, model.shape.expressionNames)
      const about = { ...seen[0], face: chosen[0].index + 1, backend, method }
      const parameters = faceDocument(about, model, result, encoded)
      await next('texture')
      const textures = await faceTextures(seen, { result, model, numbers }, texture, signal)
      report('texture', 1)
      const face = this.#count++
      const { uncertainty } = result
      this.#faces.set(face, {
        numbers,
        model: model as KnownFace['model'],
        textures,
        uncertainty,
        parameters,
        head,
      })
      return { face, parameters, view: photographView(parameters) }
    } finally {
      disposeParameters(result.parameters)
    }
  }

  async glb(number: number, { rig = true }: GlbOptions): Promise<Uint8Array<ArrayBuffer>> {
    const face = this.#face(number)
    return this.#inTurn(() => faceGlb(face, { rig }) as Promise<Uint8Array<ArrayBuffer>>)
  }

  async usdz(number: number): Promise<Uint8Array<ArrayBuffer>> {
    const face = this.#face(number)
    return this.#inTurn(() => faceUsdz(face) as Promise<Uint8Array<ArrayBuffer>>)
  }

  async render(number: number, options: RenderOptions) {
    const { numbers, ...face } = this.#face(number)
    const changed = changedFace(numbers, face.model, options)
    return this.#inTurn(() => renderView({ ...face, numbers: changed }, options))
  }

  async geometry(number: number, { head, ...change }: ShapeChange & HeadOptions) {
    const known = this.#face(number)
    const { numbers, model, uncertainty } = known
    checkHead(head)
    const changed = changedFace(numbers, model, change)
    return this.#inTurn(async () => {
      if (head !== 'full') return faceGeometry(changed, model, uncertainty)
      const surface = change.identity ? await HeadSurface.of(changed, model) : await headOf(known)
      return surface.geometry(changed.expression, uncertainty)
    })
  }

  async maps(number: number, { head }: HeadOptions): Promise<FaceMaps> {
    const known = this.#face(number)
    checkHead(head)
    if (head !== 'full') return faceMaps(known.textures)
    return this.#inTurn(async () => faceMaps((await headOf(known)).textures(known.textures)))
  }

  async follow(number: number, { head }: HeadOptions): Promise<number> {
    const known = this.#face(number)
    checkHead(head)
    const surface = head === 'full' ? await this.#inTurn(() => headOf(known)) : undefined
    const follower = this.#count++
    this.#followers.set(follower, new FrameFollower(known.numbers, known.model, surface))
    return follower
  }

  async followNext(
    number: number,
    frame: PhotoData,
    time = performance.now() / 1000,
  ): Promise<FollowedFace | undefined> {
    const follower = this.#followers.get(number)
    if (!follower)
      throw new FacekitError('follow: it has been disposed, or its worker has ended; call follow again')
    if (!Number.isFinite(time))
      throw new ValueError(
        `follow: time is ${String(time)}, expected seconds, growing from picture to picture`,
      )
    return this.#inTurn(() => onEngine('auto', async () => follower.next(await readPhoto(frame), time)))
  }

  async endFollow(follower: number): Promise<void> {
    this.#followers.delete(follower)
  }

  async close(photo: number): Promise<void> {
    this.#photos.delete(photo)
  }

  async forget(face: number): Promise<void> {
    this.#faces.delete(face)
  }

  #photo(number: number) {
    const photo = this.#photos.get(number)
    if (!photo) throw new FacekitError('reconstruct: the photograph has been closed; open it again')
    return photo
  }

  #face(number: number): KnownFace {
    const face = this.#faces.get(number)
    if (!face)
      throw new FacekitError('face: it has been disposed, or its worker has ended; reconstruct it again')
    return face
  }
}
