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
  const faces: string[] = []
  for (let p = 0; p < 26384; p++) {
    const t = Math.min(p * 3, triangles.length - 3)
    faces.push(`f ${[0, 1, 2].map((k) => triangles[t + k] + 1).join(' ')}`)
  }
  const neutral = [...text(shape.mean.data), ...faces].join('\n')
  const identity = shape.mean.data.map((value, i) => value + shape.identity.data[i])
  const files: Record<string, string> = {
    'generic_neutral_mesh.obj': neutral,
    'identity000.obj': text(identity).join('\n'),
    'vertex_indices.json': JSON.stringify({
      expressions: ['jawOpen'],
      idx_to_landmark_verts: [...landmarks],
    }),
  }
  return { neutral, files: (name) => files[name] }
}
