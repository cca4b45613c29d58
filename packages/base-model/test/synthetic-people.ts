import { createRandom } from '@facekit/core'
import { loadBaseModel, type FaceMeshNetwork, type LearningPerson } from '@facekit/base-model'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const SIZE = 192
const CONTROL = 468
/** Pixels for a millimetre: the face fills the network's input as it expects. */
const SCALE = 0.72

/** Photographs of people who never were: flat colours whose first pixels say who it is, and a network that knows them.
 *
 * People differ in how wide the nose and how low the chin is; photographs of one in how far the jaw is open. */
export async function syntheticPeople(
  people: number,
  photographs: number,
): Promise<{ people: LearningPerson[]; network: FaceMeshNetwork; reads: string[] }> {
  const model = await loadBaseModel({ variant: 'synthetic' })
  const mean = model.shape.mean.data as Float32Array
  const jaw = model.shape.expressionNames!.indexOf('jawOpen') * model.vertexCount * 3
  const reads: string[] = []
  const random = createRandom(9)
  const traits = Array.from({ length: people }, () => [random.normal(), random.normal()])
  const shape = (person: number, photograph: number) => {
    const points = new Float32Array(CONTROL * 3)
    const yaw = 0.15 * (photograph - 1)
    for (let i = 0; i < CONTROL; i++) {
      let [x, y, z] = [mean[i * 3], mean[i * 3 + 1], mean[i * 3 + 2]]
      const nose = Math.exp(-((x / 20) ** 2) - ((y + 10) / 15) ** 2)
      x *= 1 + 0.15 * traits[person][0] * nose
      y += y < -40 ? 2 * traits[person][1] : 0
      x += 0.1 * photograph * model.shape.expression.data[jaw + i * 3]
      y += 0.1 * photograph * model.shape.expression.data[jaw + i * 3 + 1]
      points[i * 3] = SIZE / 2 + SCALE * (x * Math.cos(yaw) + z * Math.sin(yaw))
      points[i * 3 + 1] = SIZE / 2 - SCALE * y
      points[i * 3 + 2] = -SCALE * (z * Math.cos(yaw) - x * Math.sin(yaw))
    }
    return points
  }
  const network: FaceMeshNetwork = {
    async predict(images) {
      const data = await images.data()
      const points = Array.from({ length: images.shape[0] }, (_, b) => {
        // Blue is the number of the photograph, in steps of 10; green that of the person.
        const at = (b * SIZE * SIZE + (SIZE / 2) * SIZE + SIZE / 2) * 3
        return [
          ...shape(Math.round((255 * data[at + 1]) / 10) - 5, Math.round((255 * data[at + 2]) / 10) - 4),
        ]
      })
      return { points: Float32Array.from(points.flat()), scores: new Float32Array(points.length).fill(1) }
    },
    dispose() {},
  }
  const landmarks = ndarray(new Float32Array(136), [68, 2])
  for (let i = 0; i < 68; i++) {
    const vertex = model.landmarks[i]
    landmarks.set(i, 0, SIZE / 2 + 0.9 * mean[vertex * 3])
    landmarks.set(i, 1, SIZE / 2 - 0.9 * mean[vertex * 3 + 1])
  }
  return {
    reads,
    network,
    people: traits.map((_, person) => ({
      name: `person ${person}`,
      photographs: Array.from({ length: photographs }, (_, photograph) => ({
        key: `${photograph}.jpg`,
        read: async () => {
          reads.push(`${person}/${photograph}`)
          const pixels = new Uint8Array(SIZE * SIZE * 3)
          for (let p = 0; p < SIZE * SIZE; p++) {
            pixels.set([180 - 10 * (p % 3), 50 + 10 * person, 40 + 10 * photograph], p * 3)
          }
          return { picture: ndarray(pixels, [SIZE, SIZE, 3]), landmarks }
        },
      })),
    })),
  }
}

export const useCpu = async () => {
  await import('@tensorflow/tfjs-backend-cpu')
  await tf.setBackend('cpu')
}
