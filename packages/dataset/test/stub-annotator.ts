import ndarray from 'ndarray'
import type { FaceAnnotation, Picture } from '@facekit/annotate'

const SIZE = 32

/** Labels that depend on the pixels alone, at once. A dark picture has no face, one that is white in its corner has two. */
export function stubAnnotations(picture: Picture): FaceAnnotation[] {
  const tone = picture.get(0, 0, 0)
  if (tone < 10) return []
  return Array.from({ length: tone > 240 ? 2 : 1 }, (_, face) => stubAnnotation(picture, face))
}

function stubAnnotation(picture: Picture, face: number): FaceAnnotation {
  const plane = (value: number) => ndarray(new Float32Array(SIZE * SIZE).fill(value), [SIZE, SIZE])
  const image = new Float32Array(SIZE * SIZE * 3)
  for (let i = 0; i < image.length; i++) image[i] = picture.data[i % picture.data.length] / 255
  const landmarks = ndarray(
    Float32Array.from({ length: 136 }, (_, i) => 4 + ((i * 7 + face) % 24)),
    [68, 2],
  )
  return {
    box: { x: 1, y: 2, width: 10 - face, height: 12 },
    score: 0.75,
    landmarks,
    alignment: {
      size: SIZE,
      transform: { scale: 1, rotation: 0, translation: [0, 0] },
      image: ndarray(image, [SIZE, SIZE, 3]),
      landmarks,
    },
    faceRegion: plane(1),
    innerMouth: plane(0),
    skinProbability: plane(picture.get(1, 1, 1) / 255),
    embedding: new Float32Array(128).fill(picture.get(1, 1, 2) / 255),
  }
}
