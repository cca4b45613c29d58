import { readSafetensors, writeFileAtomic, writeSafetensors } from '@facekit/core'
import type { FaceObservation } from './observe-faces.js'

const FORMAT = 'facekit-face-observations-2'

/** Keeps what was observed of each person in a folder, one file a person, so that an interrupted run can go on. */
export class ObservationCache {
  constructor(
    private readonly folder: string,
    private readonly skinEnd: number,
  ) {}

  /** @returns the observations, `null` where no face was found, or nothing when they are not there or of other photographs */
  async read(person: string, keys: readonly string[]): Promise<(FaceObservation | null)[] | undefined> {
    const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
    const bytes = await readFile(await this.path(person)).catch(() => undefined)
    if (!bytes) return undefined
    try {
      const { metadata, tensors } = readSafetensors(bytes, 'ObservationCache')
      if (metadata.format !== FORMAT || metadata.person !== person || metadata.keys !== JSON.stringify(keys))
        return undefined
      const points = tensors.get('points')!.data as Float32Array
      const colors = tensors.get('colors')!.data as Uint8Array
      const labels = tensors.get('labels')!.data as Float32Array
      const scores = tensors.get('scores')!.data as Float32Array
      const size = this.skinEnd * 3
      if (points.length !== keys.length * 1404 || colors.length !== keys.length * size) return undefined
      if (labels.length !== keys.length * 136) return undefined
      return keys.map((_, i) =>
        scores[i] < 0
          ? null
          : {
              points: points.slice(i * 1404, (i + 1) * 1404),
              colors: colors.slice(i * size, (i + 1) * size),
              labels: labels.slice(i * 136, (i + 1) * 136),
              score: scores[i],
            },
      )
    } catch {
      // A damaged file is made again.
      return undefined
    }
  }

  async write(
    person: string,
    keys: readonly string[],
    observations: readonly (FaceObservation | null)[],
  ): Promise<void> {
    const { mkdir } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
    await mkdir(this.folder, { recursive: true })
    const size = this.skinEnd * 3
    const points = new Float32Array(keys.length * 1404)
    const labels = new Float32Array(keys.length * 136)
    const colors = new Uint8Array(keys.length * size)
    observations.forEach((observation, i) => {
      if (!observation) return
      points.set(observation.points, i * 1404)
      labels.set(observation.labels, i * 136)
      colors.set(observation.colors, i * size)
    })
    const bytes = writeSafetensors({
      metadata: { format: FORMAT, person, keys: JSON.stringify(keys) },
      tensors: new Map([
        ['points', { shape: [keys.length, 468, 3], data: points }],
        ['labels', { shape: [keys.length, 68, 2], data: labels }],
        ['colors', { shape: [keys.length, this.skinEnd, 3], data: colors }],
        [
          'scores',
          { shape: [keys.length], data: Float32Array.from(observations, (o) => (o ? o.score : -1)) },
        ],
      ]),
    })
    await writeFileAtomic(await this.path(person), bytes)
  }

  private async path(person: string): Promise<string> {
    const { join } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:path')
    const { createHash } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:crypto')
    const name = person.replaceAll(/[^\w-]+/g, '_').slice(0, 60)
    const hash = createHash('sha256').update(person).digest('hex').slice(0, 12)
    return join(this.folder, `${name}-${hash}.safetensors`)
  }
}
