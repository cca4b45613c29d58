import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'

/** Regions whose vertices are parts of the eyeballs, by the names of the models at hand. */
const EYES = /^(sclera|iris|eyeball)/i

/** Vertices of the eyeballs, by side: 0 none, 1 the subject's right (x below 0), 2 the left.
 *
 * @returns `[N]`
 */
export function eyeballSides(model: MorphableModel): Uint8Array {
  const mean = denseData(model.shape.mean)
  const eyes = new Uint8Array(model.vertexCount)
  for (const [name, vertices] of Object.entries(model.regions ?? {})) {
    if (EYES.test(name)) for (const vertex of vertices) eyes[vertex] = mean[vertex * 3] < 0 ? 1 : 2
  }
  // What has no name but lies among eyeballs only, such as a pupil or the back, belongs to them.
  const near = (eye: number) => {
    for (let pass = 0; pass < 40; pass++) {
      let changed = false
      for (let t = 0; t < model.triangles.length; t += 3) {
        const corners = [0, 1, 2].map((k) => model.triangles[t + k])
        if (!corners.some((corner) => eyes[corner] === eye)) continue
        for (const corner of corners) {
          if (eyes[corner] === 0) {
            eyes[corner] = eye
            changed = true
          }
        }
      }
      if (!changed) break
    }
  }
  if (eyes.includes(1)) near(1)
  if (eyes.includes(2)) near(2)
  return eyes
}
