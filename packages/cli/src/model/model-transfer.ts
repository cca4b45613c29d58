import { FacekitError, ValueError, writeFileAtomic } from '@facekit/core'
import type { Similarity3d } from '@facekit/mesh'
import { disposeParameters, encodeParameters, type ParameterTree } from '@facekit/parameters'
import { fileSystemReason } from '../error-line.js'
import { loadModel, shippedModelNamed } from '../load-model.js'
import { checkOutputFile } from '../output-file.js'
import type { Progress } from '../progress.js'
import { parametersForModel, readParametersFile } from '../render/read-parameters-file.js'

/** What `facekit model transfer` was asked to do. */
export interface TransferOptions {
  /** The model whose coefficients are wanted. */
  to: string
  out: string
  /** The model of the file; default: the shipped one that the file names. */
  from?: string
  force: boolean
}

/** What came of it; what `--json` prints. */
export interface TransferReport {
  file: string
  from: string
  to: string
  /** Root mean square distance of the two faces at corresponding points, mm. */
  shapeError: number
  /** Root mean square difference of the diffuse albedo, linear RGB. */
  albedoError: number
  seconds: number
}

/** Members of a parameters.json that say what holds for the model or the photograph's fit of it. */
const OF_THE_FIT = ['landmarks3d', 'gaze', 'metric', 'metrics'] as const

/** Writes a parameters.json for another face model: coefficients through shape, and the pose at which the face lies where it lay.
 *
 * @throws {ValueError} when the file is not one, or belongs to another model
 * @throws {FacekitError} when the output cannot be written
 */
export async function transferParameters(
  source: string,
  { to: target, out, from: asked, force }: TransferOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<TransferReport> {
  const started = performance.now()
  await checkOutputFile(out, force)
  const saved = await readParametersFile(source)
  progress.start(`${target}: reading`)
  const from = await loadModel(asked ?? shippedModelNamed(saved.model))
  const to = await loadModel(target)
  signal.throwIfAborted()
  if (from.name === to.name) throw new ValueError(`--to: "${target}" is the model of ${source} already`)
  progress.start(`${from.name} to ${to.name}`)
  const { initEngine } = await import('@facekit/engine')
  const { transferCoefficients } = await import('@facekit/morphable')
  await initEngine({ backend: 'cpu' })
  const parameters = parametersForModel(source, saved, from)
  const [identity, expression, albedo] = await Promise.all(
    [parameters.identity, parameters.expression, parameters.albedo].map((tensor) => tensor.data()),
  )
  disposeParameters(parameters)
  const found = transferCoefficients(from, to, {
    identity: identity as Float32Array,
    expression: expression as Float32Array,
    albedo: albedo as Float32Array,
  })
  const face: ParameterTree<Float32Array> = {
    ...saved.face,
    identity: found.identity,
    expression: found.expression,
    albedo: found.albedo,
    pose: movedPose(saved.face.pose, found.similarity),
  }
  const json: Record<string, unknown> = { ...saved.json, ...encodeParameters(face, to.shape.expressionNames) }
  if (!to.shape.expressionNames) delete json.expressionNames
  json.model = { name: to.name, license: to.license }
  for (const member of OF_THE_FIT) delete json[member]
  await writeFileAtomic(out, `${JSON.stringify(json, null, 1)}\n`).catch((cause: unknown) => {
    throw new FacekitError(`${out} cannot be written: ${fileSystemReason(cause)}`, { cause })
  })
  return {
    file: out,
    from: from.name,
    to: to.name,
    shapeError: found.shapeError,
    albedoError: found.albedoError,
    seconds: (performance.now() - started) / 1000,
  }
}

export const transferLines = ({
  file,
  from,
  to,
  shapeError,
  albedoError,
  seconds,
}: TransferReport): string[] => [
  `${file}: ${from} to ${to}, ${shapeError.toFixed(2)} mm, albedo ${albedoError.toFixed(4)}, ${seconds.toFixed(1)} s`,
]

/** The pose at which points that a similarity has moved (w = s Q v + u) lie where they lay: k R (v + t) = k / s R Q' (w - u + s Q t). */
function movedPose(
  { rotation, translation, scale }: ParameterTree<Float32Array>['pose'],
  { scale: s, rotation: q, translation: u }: Similarity3d,
): ParameterTree<Float32Array>['pose'] {
  const turn = product(matrixOf(rotation), [q[0], q[3], q[6], q[1], q[4], q[7], q[2], q[5], q[8]])
  return {
    rotation: Float32Array.of(
      Math.atan2(turn[7], turn[8]),
      Math.asin(Math.min(1, Math.max(-1, -turn[6]))),
      Math.atan2(turn[3], turn[0]),
    ),
    translation: Float32Array.from(
      [0, 1, 2],
      (r) => s * [0, 1, 2].reduce((sum, c) => sum + q[3 * r + c] * translation[c], 0) - u[r],
    ),
    scale: Float32Array.of(scale[0] / s),
  }
}

/** Rz(roll) Ry(yaw) Rx(pitch), row by row. */
function matrixOf([pitch, yaw, roll]: Float32Array): number[] {
  const [cx, sx, cy, sy, cz, sz] = [pitch, yaw, roll].flatMap((angle) => [Math.cos(angle), Math.sin(angle)])
  return product(product([cz, -sz, 0, sz, cz, 0, 0, 0, 1], [cy, 0, sy, 0, 1, 0, -sy, 0, cy]), [
    1,
    0,
    0,
    0,
    cx,
    -sx,
    0,
    sx,
    cx,
  ])
}

const product = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: 9 }, (_, i) => {
    const [r, c] = [i - (i % 3), i % 3]
    return a[r] * b[c] + a[r + 1] * b[c + 3] + a[r + 2] * b[c + 6]
  })
