import {
  applyTransform,
  detectFaces,
  findDenseLandmarks,
  followDenseLandmarks,
  type DenseLandmarks,
  type Picture,
  type SimilarityTransform,
} from '@facekit/annotate'
import { createFaceTracker, fitDenseLandmarks, type FaceTracker, type TrackedFace } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera } from '@facekit/render'
import type { FollowedFace } from '../face.js'
import { FaceSmoother } from './face-smoother.js'
import { faceSurface, type FaceNumbers } from './face-shape.js'
import type { HeadSurface } from './head-surface.js'
import { photographView } from './photograph-view.js'
import type { Photo } from './read-photo.js'

/** A network that is surer than this has a face before it: mean deviation in sides of its view. */
const DOUBTFUL = 0.025
/** Mean distance between what the network sees and the mesh, in standard deviations, above which it is no face. */
const MISFIT = 4
/** Side of the square that the tracker's camera sees, pixels, and the share of it that a face takes at first. */
const [SIZE, SHARE] = [224, 0.6]

/** Follows somebody through the pictures of a video, and gives their pose and expression to a face. */
export class FrameFollower {
  readonly #face: FaceNumbers
  readonly #model: MorphableModel
  readonly #head: HeadSurface | undefined
  #seen: { tracker: FaceTracker; transform: SimilarityTransform; width: number; height: number } | undefined
  #previous: TrackedFace | undefined
  #smoother = new FaceSmoother()

  /** @param head - the whole head, if that is to move */
  constructor(face: FaceNumbers, model: MorphableModel, head?: HeadSurface) {
    this.#face = face
    this.#model = model
    this.#head = head
  }

  /** The next picture; undefined where nobody is seen.
   *
   * @param time - seconds
   */
  async next({ picture }: Photo, time: number): Promise<FollowedFace | undefined> {
    const [height, width] = picture.shape
    // A picture of another size is of another video.
    if (this.#seen?.width !== width || this.#seen.height !== height) this.#previous = undefined
    const found = (this.#previous && (await this.#follow(picture))) ?? (await this.#search(picture))
    if (!this.#previous) this.#smoother = new FaceSmoother()
    this.#previous = found
    if (!found || !this.#seen) return undefined
    const { rotation, translation, scale, expression } = this.#smoother.next(found, time)
    const moved = { ...this.#face, expression }
    const geometry = await (this.#head?.surface(expression) ?? faceSurface(moved, this.#model))
    const view = photographView({
      picture: { file: '', width, height },
      camera: defaultCamera,
      crop: { size: SIZE, transform: this.#seen.transform },
      pose: { rotation, translation, scale },
    })
    return { expression, rotation, geometry, view }
  }

  /** Near where the face was in the picture before. */
  async #follow(picture: Picture): Promise<TrackedFace | undefined> {
    const { tracker } = this.#seen!
    const { found, doubt } = await followDenseLandmarks(picture, tracker.points(this.#previous!))
    return doubt < DOUBTFUL ? accepted(tracker.fit(found, this.#previous)) : undefined
  }

  /** Anywhere: the largest face. Its shape is found once for a video. */
  async #search(picture: Picture): Promise<TrackedFace | undefined> {
    const [height, width] = picture.shape
    const faces = await detectFaces(picture, { detector: 'fast', orientation: 'upright' })
    const [largest] = faces.toSorted((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
    if (!largest) return undefined
    const { box } = largest
    const { found, doubt } = await followDenseLandmarks(picture, await findDenseLandmarks(picture, box))
    if (doubt >= DOUBTFUL) return undefined
    if (this.#seen?.width !== width || this.#seen.height !== height) {
      // The camera looks at the middle of the picture.
      const scale = (SHARE * SIZE) / Math.max(box.width, box.height)
      const middle = (side: number) => SIZE / 2 - (scale * side) / 2
      const transform = {
        scale,
        rotation: 0,
        translation: [middle(width), middle(height)] as [number, number],
      }
      this.#seen = { tracker: this.#trackerOf(found, transform), transform, width, height }
    }
    return accepted(this.#seen.tracker.fit(found))
  }

  /** The tracker knows who is in the video: another identity would be taken for expression. */
  #trackerOf(dense: DenseLandmarks, transform: SimilarityTransform): FaceTracker {
    const scaled = (values: Float32Array) => values.map((value) => value * transform.scale)
    const inSquare: DenseLandmarks = {
      ...dense,
      positions: applyTransform(transform, dense.positions),
      deviations: scaled(dense.deviations),
      depths: scaled(dense.depths),
      depthDeviations: scaled(dense.depthDeviations),
    }
    const { identity } = fitDenseLandmarks(inSquare, this.#model, { width: SIZE, height: SIZE })
    return createFaceTracker(this.#model, { identity, transform, size: SIZE })
  }
}

const accepted = (face: TrackedFace): TrackedFace | undefined => (face.misfit < MISFIT ? face : undefined)
