import { ValueError } from '@facekit/core'
import { arkitModes, arkitNames, type ParameterTree } from '@facekit/parameters'
import { InvalidArgumentError, type Command } from 'commander'
import { readLight } from './light.js'

/** What a user wants to be otherwise than in a parameters.json. */
export interface FaceChanges {
  /** No expression at all; `set` comes after it. */
  neutral?: boolean
  /** `jawOpen=0.5`, a blend shape of ARKit, or `identity[3]=1.5`. */
  set?: readonly string[]
  /** Degrees of the head in the crop, instead of the photograph's: 0 looks at the camera, level, upright. An angle that is not given stays. */
  yaw?: number
  pitch?: number
  roll?: number
  /** Name of a light, or another parameters.json. */
  light?: string
}

/** Adds the options that say what is to be changed. */
export function withChanges(command: Command): Command {
  return command
    .option('--neutral', 'without the expression')
    .option(
      '--set <name=value>',
      'an expression (jawOpen=0.5), or a coefficient (identity[3]=1.5); may be given several times',
      (item: string, all: string[] = []) => [...all, item],
    )
    .option(
      '--yaw <degrees>',
      "turn of the head, in place of the photograph's; positive: its nose to the right of the picture, 0: to the camera",
      degrees,
    )
    .option('--pitch <degrees>', 'the same, positive: its nose downwards, 0: level', degrees)
    .option('--roll <degrees>', 'the same, positive: counter-clockwise in the picture, 0: upright', degrees)
    .option('--light <name or file>', 'white, front, left, right, top, or that of another parameters.json')
}

function degrees(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(Math.abs(value) <= 180))
    throw new InvalidArgumentError('expected degrees from -180 to 180')
  return value
}

/** Applies changes to the numbers of a face; the face that was given stays as it is.
 *
 * @param names - of its expressions, where they are known
 * @throws {ValueError} when a name is unknown, or a value is no finite number
 */
export async function changeFace(
  face: ParameterTree<Float32Array>,
  names: readonly string[] | undefined,
  changes: FaceChanges,
): Promise<ParameterTree<Float32Array>> {
  const { identity, albedo, pose } = face
  const changed = {
    ...face,
    identity: Float32Array.from(identity),
    expression: changes.neutral
      ? new Float32Array(face.expression.length)
      : Float32Array.from(face.expression),
    albedo: Float32Array.from(albedo),
    pose: { ...pose, rotation: Float32Array.from(pose.rotation) },
  }
  for (const item of changes.set ?? []) setValue(changed, names ?? [], item)
  for (const [axis, value] of [changes.pitch, changes.yaw, changes.roll].entries())
    if (value !== undefined) changed.pose.rotation[axis] = (value * Math.PI) / 180
  if (changes.light !== undefined)
    changed.illumination = await readLight(changes.light, face.illumination.shininess)
  return changed
}

function setValue(face: ParameterTree<Float32Array>, names: readonly string[], item: string): void {
  const [, name, digits] = /^\s*([^=\s]+)\s*=\s*(\S+)\s*$/.exec(item) ?? []
  const value = Number(digits)
  if (name === undefined || !Number.isFinite(Math.fround(value)))
    throw new ValueError(
      `--set: "${item}" is no assignment, expected one like jawOpen=0.5 or identity[3]=1.5`,
    )
  const [, part, index] = /^(identity|expression|albedo)\[(\d+)\]$/.exec(name) ?? []
  if (part !== undefined) {
    const numbers = face[part as 'identity' | 'expression' | 'albedo']
    if (Number(index) >= numbers.length)
      throw new ValueError(`--set: ${part} has ${numbers.length} coefficients, ${name} is not among them`)
    numbers[Number(index)] = value
    return
  }
  const own = names.indexOf(name)
  const arkit = (arkitNames as readonly string[]).indexOf(name)
  const modes = own >= 0 ? [own] : arkit >= 0 ? arkitModes(names)[arkit] : []
  if (modes.length === 0) {
    const known = names.length > 0 ? names.join(', ') : 'no names; write expression[3]=0.5'
    throw new ValueError(`--set: there is no expression "${name}"; the face has ${known}`)
  }
  for (const k of modes) face.expression[k] = value
}
