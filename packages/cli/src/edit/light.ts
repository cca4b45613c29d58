import { readFile } from 'node:fs/promises'
import { ValueError } from '@facekit/core'
import { decodeParameters, whiteLight, type ParameterTree } from '@facekit/parameters'

type Illumination = ParameterTree<Float32Array>['illumination']

/** Where the lamp of a named light stands, from the head: x to the right of the picture, y up, z to the camera. */
const LAMPS: Readonly<Record<string, readonly [number, number, number]>> = {
  front: [0, 0.3, 1],
  left: [-1, 0.3, 0.5],
  right: [1, 0.3, 0.5],
  top: [0, 1, 0.4],
}
/** Irradiance from everywhere and from the lamp's side, and the highlight's strength. */
const [AMBIENT, SIDE, LAMP] = [0.6, 0.5, 0.8]
/** Millimetres. */
const DISTANCE = 1200
/** Spherical harmonics of the first band are this times y, z, x. */
const FIRST_BAND = Math.sqrt(3 / (4 * Math.PI))

/** Names that `--light` knows. */
export const lightNames: readonly string[] = ['white', ...Object.keys(LAMPS)]

/** A light by its name, or that of another face's parameters.json.
 *
 * @param shininess - of the face: a property of the skin, which another light leaves as it is
 * @throws {ValueError} when there is neither a light nor a readable file of that name
 */
export async function readLight(nameOrFile: string, shininess: Float32Array): Promise<Illumination> {
  if (lightNames.includes(nameOrFile)) return { ...namedLight(nameOrFile), shininess }
  const text = await readFile(nameOrFile, 'utf8').catch((cause: unknown) => {
    throw new ValueError(
      `--light: "${nameOrFile}" is neither a light nor a file, expected ${lightNames.join(', ')}, or a parameters.json`,
      { cause },
    )
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ValueError(`--light: ${nameOrFile} is not JSON, expected a parameters.json`, { cause })
  }
  return { ...decodeParameters(nameOrFile, json).face.illumination, shininess }
}

function namedLight(name: string): Omit<Illumination, 'shininess'> {
  const lamp = LAMPS[name]
  const length = lamp ? Math.hypot(...lamp) : 1
  const [x, y, z] = (lamp ?? [0, 0, 0]).map((value) => value / length)
  const bands = [AMBIENT * whiteLight, ...[y, z, x].map((value) => (SIDE / FIRST_BAND) * value)]
  if (!lamp) bands[0] = whiteLight
  const sphericalHarmonics = Float32Array.from({ length: 27 }, (_, i) => bands[Math.floor(i / 3)] ?? 0)
  return {
    sphericalHarmonics,
    lightPosition: Float32Array.from(lamp ? [x, y, z] : [0, 1 / 3, 1], (value) => value * DISTANCE),
    lightColor: new Float32Array(3).fill(LAMP),
  }
}
