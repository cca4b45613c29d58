import ndarray from 'ndarray'
import type { FaceMesh } from '@facekit/export'

/** The front of a ball, 90 mm wide, on a grid of 24 x 24 vertices, with UV and a small mouth patch: enough of a face for a test. */
export function createDome(): FaceMesh & { uv: Float32Array; vertices: Float32Array; diffuse: Float32Array } {
  const rows = 24
  const vertices: number[] = []
  const uv: number[] = []
  const diffuse: number[] = []
  const specular: number[] = []
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < rows; i++) {
      const [s, t] = [i / (rows - 1), j / (rows - 1)]
      const [a, b] = [(s - 0.5) * 2.4, (t - 0.5) * 2.4]
      vertices.push(90 * Math.sin(a) * Math.cos(b), 90 * Math.sin(b), 90 * Math.cos(a) * Math.cos(b))
      uv.push(0.1 + 0.8 * s, 0.1 + 0.8 * t)
      diffuse.push(0.3 + 0.4 * s, 0.35, 0.25 + 0.1 * t)
      specular.push(0.03 + 0.03 * t, 0.04, 0.04)
    }
  }
  const triangles: number[] = []
  const innerMouthTriangles: number[] = []
  for (let j = 0; j < rows - 1; j++) {
    for (let i = 0; i < rows - 1; i++) {
      const at = j * rows + i
      const mouth = j === 6 && i > 8 && i < 14
      const list = mouth ? innerMouthTriangles : triangles
      list.push(at, at + 1, at + rows, at + 1, at + rows + 1, at + rows)
    }
  }
  return {
    vertices: new Float32Array(vertices),
    triangles: new Int32Array(triangles),
    innerMouthTriangles: new Int32Array(innerMouthTriangles),
    uv: new Float32Array(uv),
    diffuse: new Float32Array(diffuse),
    specular: ndarray(new Float32Array(specular), [rows * rows, 3]),
    shininess: 30,
  }
}
