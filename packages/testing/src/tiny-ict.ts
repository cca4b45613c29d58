import type { MorphableModel } from '@facekit/morphable'

/** Files of ICT-FaceKit's folder with a tiny face in it: as many vertices and polygons as the original, nearly all of them at one
 * point and of no area.
 *
 * @param model - a small face
 */
export function tinyIct(model: MorphableModel): {
  neutral: string
  files: (name: string) => string | undefined
} {
  const { shape, vertexCount, triangles, landmarks } = model
  const text = (values: ArrayLike<number>) => {
    const lines: string[] = []
    for (let v = 0; v < 26719; v++) {
      const at = Math.min(v, vertexCount - 1) * 3
      lines.push(`v ${[0, 1, 2].map((c) => (values[at + c] / 10).toFixed(4)).join(' ')}`)
    }
    return lines
  }
  const polygons = quads(triangles)
  const faces: string[] = []
  for (let p = 0; p < 26384; p++) {
    const corners = polygons[Math.min(p, polygons.length - 1)]
    faces.push(`f ${corners.map((vertex) => vertex + 1).join(' ')}`)
  }
  const neutral = [...text(shape.mean.data), ...faces].join('\n')
  const identity = shape.mean.data.map((value, i) => value + shape.identity.data[i])
  const open = shape.mean.data.map((value, i) => value + shape.expression.data[i])
  const files: Record<string, string> = {
    'jawOpen.obj': text(open).join('\n'),
    'generic_neutral_mesh.obj': neutral,
    'identity000.obj': text(identity).join('\n'),
    'vertex_indices.json': JSON.stringify({
      expressions: ['jawOpen'],
      idx_to_landmark_verts: [...landmarks],
    }),
  }
  return { neutral, files: (name) => files[name] }
}

/** Neighbouring triangles a b c, a c d as quads a b c d; the rest as they are. */
function quads(triangles: Int32Array): number[][] {
  const polygons: number[][] = []
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c, ...next] = triangles.subarray(t, t + 6)
    const pair = next[0] === a && next[1] === c
    polygons.push(pair ? [a, b, c, next[2]] : [a, b, c])
    if (pair) t += 3
  }
  return polygons
}
