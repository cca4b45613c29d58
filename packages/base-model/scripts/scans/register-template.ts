import { normalsOf, registerMesh, TriangleTree } from '@facekit/mesh'
import type { FaceMesh } from '../face-mesh.js'
import { labelLandmarks68, lowerLipRings, rightEyeRings, upperLipRings } from '../face-parts.js'
import { edgeKey } from '../loop-subdivision.js'
import { ictContour, pointsAlong, sharesOf } from './contours.js'
import type { IctModel } from './ict-model.js'
import { SurfaceFit } from './surface-fit.js'

/** Our skin on ICT-FaceKit's mean face. */
export interface Registration {
  /** `[S * 3]` mm, in ICT's space, S = `mesh.skinEnd`. */
  positions: Float64Array
  /** `[S * 3]` ICT's vertices whose weighted sum each of our vertices is on, and the weights. */
  corners: Int32Array
  weights: Float64Array
  /** `[S]` 1 where ours lies on ICT's surface and they look the same way. */
  trusted: Uint8Array
}

type Point = readonly [number, number, number]

/** How stiff the last steps are, from the first to the last. */
const STIFFNESS = [30, 30, 10, 10, 3, 3, 1, 1, 0.5, 0.5]
/** Pull along the surface in parts of that across it. */
const ALONG = 0.02
/** Pull of contours: lids and lips come to lie where ICT's do. */
const CONTOUR = 10
/** Farthest that a point of the surface is believed, mm. */
const REACH = 5

/** Pairs of our vertices and places on ICT's mean face: contours of lids and lips by share of their length; and landmarks. */
export function contourPairs(mesh: FaceMesh, ict: IctModel) {
  const exact: [number, Point][] = []
  const near: [number, Point][] = []
  const ours = (i: number): Point => [mesh.mean[i * 3], mesh.mean[i * 3 + 1], mesh.mean[i * 3 + 2]]
  const theirs = (l: number): Point => {
    const i = ict.landmarks[l]
    return [ict.mean[i * 3], ict.mean[i * 3 + 1], ict.mean[i * 3 + 2]]
  }
  const pair = (list: [number, Point][], line: readonly number[], landmarks: readonly number[]) => {
    const fine = refineLine(mesh, line)
    const places = pointsAlong(smoothLine(ictContour(ict, landmarks), 3), sharesOf(fine.map(ours)))
    fine.forEach((vertex, k) => list.push([vertex, places[k]]))
  }
  const [upper, lower] = [upperLipRings, lowerLipRings]
  const lids = rightEyeRings[0]
  const left = mesh.eyeballs.find(({ side }) => side === 'left')!.lids
  pair(exact, lids.slice(0, 9), [36, 37, 38, 39])
  pair(exact, [...lids.slice(8), lids[0]], [39, 40, 41, 36])
  pair(exact, left.slice(0, 9), [45, 44, 43, 42])
  pair(exact, [...left.slice(8), left[0]], [42, 47, 46, 45])
  pair(exact, upper[3], [60, 61, 62, 63, 64])
  pair(exact, lower[3], [60, 67, 66, 65, 64])
  // Cupid's bow, piece by piece.
  pair(near, upper[0].slice(0, 5), [48, 49, 50])
  pair(near, upper[0].slice(4, 7), [50, 51, 52])
  pair(near, upper[0].slice(6), [52, 53, 54])
  pair(near, lower[0], [48, 59, 58, 57, 56, 55, 54])
  for (const l of [17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 35]) {
    near.push([labelLandmarks68[l], theirs(l)])
  }
  return { exact: once(exact), near: once(near) }
}

const once = (pairs: readonly [number, Point][]) => [...new Map(pairs)]

/** A line of control vertices with the vertices that two subdivisions put between. */
export function refineLine(mesh: FaceMesh, line: readonly number[]): number[] {
  return mesh.middles.reduce<number[]>(
    (fine, middles) =>
      fine.flatMap((a, k) => (k + 1 < fine.length ? [a, middles.get(edgeKey(a, fine[k + 1]))!] : [a])),
    [...line],
  )
}

function smoothLine(line: readonly Point[], rounds: number): readonly Point[] {
  let smooth = line
  for (let round = 0; round < rounds; round++) {
    smooth = smooth.map((p, k, all) =>
      k === 0 || k === all.length - 1
        ? p
        : ([0, 1, 2].map((c) => (all[k - 1][c] + 2 * p[c] + all[k + 1][c]) / 4) as unknown as Point),
    )
  }
  return smooth
}

/** Brings our skin onto ICT-FaceKit's mean face: `registerMesh` through landmarks and contours, then with the contours of
 * lids and inner lips where they are, everything else sliding over the surface with as little bending as may be.
 */
export function registerTemplate(mesh: FaceMesh, ict: IctModel): Registration {
  const skin = mesh.skinEnd
  const template = mesh.mean.slice(0, skin * 3)
  const triangles = Int32Array.from(
    mesh.triangles.filter((_, i, all) => {
      const t = i - (i % 3)
      return all[t] < skin && all[t + 1] < skin && all[t + 2] < skin
    }),
  )
  const { exact, near } = contourPairs(mesh, ict)
  const pairs = [...exact, ...near]
  const surface = { positions: ict.mean, triangles: ict.triangles }
  const positions: Float64Array = registerMesh({ positions: template, triangles }, surface, {
    points: {
      from: pairs.flatMap(([i]) => [...template.subarray(i * 3, i * 3 + 3)]),
      to: pairs.flatMap(([, place]) => [...place]),
    },
  })
  const tree = new TriangleTree(ict.mean, ict.triangles)
  const ictNormals = normalsOf(ict.mean, ict.triangles)
  const fit = new SurfaceFit(template, triangles)
  const corners = new Int32Array(skin * 3)
  const shares = new Float64Array(skin * 3)
  const trusted = new Uint8Array(skin)
  /** Nearest point of ICT's surface to vertex v; its normal. */
  const lookUp = (v: number, normals: Float32Array) => {
    const [x, y, z] = positions.subarray(v * 3, v * 3 + 3)
    const accept = (triangle: number) => {
      let agreement = 0
      for (let c = 0; c < 3; c++) {
        for (let k = 0; k < 3; k++) {
          agreement += ictNormals[ict.triangles[triangle + k] * 3 + c] * normals[v * 3 + c]
        }
      }
      return agreement > 1.5
    }
    const found = tree.nearest(x, y, z, { within: REACH, accept }) ?? tree.nearest(x, y, z)!
    const normal = [0, 0, 0]
    const place = [0, 0, 0]
    for (let k = 0; k < 3; k++) {
      const i = ict.triangles[found.triangle + k]
      corners[v * 3 + k] = i
      shares[v * 3 + k] = found.weights[k]
      for (let c = 0; c < 3; c++) {
        normal[c] += found.weights[k] * ictNormals[i * 3 + c]
        place[c] += found.weights[k] * ict.mean[i * 3 + c]
      }
    }
    trusted[v] = found.distance < REACH && accept(found.triangle) ? 1 : 0
    return { normal, place }
  }
  let field: Float64Array = positions.map((value, i) => value - template[i])
  for (const stiffness of STIFFNESS) {
    const normals = normalsOf(positions, triangles)
    const targets = new Float64Array(skin * 3)
    const weights = new Float64Array(skin * 9)
    for (let v = 0; v < skin; v++) {
      const { normal, place } = lookUp(v, normals)
      if (!trusted[v]) continue
      for (let r = 0; r < 3; r++) {
        targets[v * 3 + r] = place[r] - template[v * 3 + r]
        for (let c = 0; c < 3; c++) {
          weights[v * 9 + r * 3 + c] = normal[r] * normal[c] + (r === c ? ALONG : 0)
        }
      }
    }
    const pin = (list: readonly [number, Point][], weight: number) => {
      for (const [v, place] of list) {
        weights.fill(0, v * 9, v * 9 + 9)
        for (let c = 0; c < 3; c++) {
          targets[v * 3 + c] = place[c] - template[v * 3 + c]
          weights[v * 9 + c * 4] = weight
        }
      }
    }
    pin(near, 0.3)
    pin(exact, CONTOUR)
    field = fit.solve(targets, weights, stiffness, field)
    for (let i = 0; i < positions.length; i++) positions[i] = template[i] + field[i]
  }
  const normals = normalsOf(positions, triangles)
  for (let v = 0; v < skin; v++) lookUp(v, normals)
  return { positions, corners, weights: shares, trusted }
}
