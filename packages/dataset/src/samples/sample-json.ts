import { showValue } from '@facekit/core'
import { buildParameters, constantPartSize, mapParameters, parameterPath } from '@facekit/parameters'
import ndarray from 'ndarray'
import { DatasetError } from '../dataset-error.js'
import type { FaceSample, SampleAnnotation, SampleParameters, SampleSource } from './face-sample.js'

/** All of a sample but its pixels. */
export type SampleLabels = Pick<FaceSample, 'identity' | 'source' | 'quality' | 'parameters'> & {
  size: number
  annotation: Pick<
    SampleAnnotation,
    'box' | 'score' | 'transform' | 'landmarks' | 'landmarkVisibility' | 'embedding'
  >
}

const FORMAT = 'facekit-face'

/** Nine digits bring back the same float32; JSON would write seventeen. */
const short = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toPrecision(9)))
const thousandths = (value: number) => Math.round(value * 1000) / 1000

/** The JSON file of a sample. */
export function writeSampleJson(sample: FaceSample): string {
  const { identity, image, annotation, source, quality, parameters } = sample
  const { box, score, transform, landmarks, landmarkVisibility, embedding } = annotation
  return JSON.stringify({
    format: FORMAT,
    version: 1,
    identity,
    source,
    size: image.shape[0],
    box: { x: box.x, y: box.y, width: box.width, height: box.height },
    score,
    transform,
    landmarks: Array.from({ length: 68 }, (_, k) => [
      thousandths(landmarks.get(k, 0)),
      thousandths(landmarks.get(k, 1)),
    ]),
    landmarkVisibility: landmarkVisibility && Array.from(landmarkVisibility, thousandths),
    embedding: short(embedding),
    quality: quality && Object.fromEntries(Object.entries(quality).map(([k, v]) => [k, thousandths(v)])),
    parameters: parameters && mapParameters(parameters, short),
  })
}

/** Reads the JSON file of a sample, and believes nothing.
 *
 * @param who - file and key, begins the error's message
 * @throws {DatasetError} when it is no JSON, no sample, of another version, or holds what is not finite or absurd
 */
export function readSampleJson(bytes: Uint8Array, who: string): SampleLabels {
  const fail = (what: string): never => {
    throw new DatasetError(`${who}: ${what}; label the pictures again`)
  }
  const root = record(parse(bytes, who), () =>
    fail('the .json holds no object, expected the labels of a face'),
  )
  if (root.format !== FORMAT || root.version !== 1) {
    const found = `${text(root.format) ?? 'no format'} ${root.version === undefined ? '' : showValue(root.version)}`
    throw new DatasetError(
      `${who}: holds "${found.trim().slice(0, 80)}", expected "${FORMAT} 1"; make it with facekit annotate, or writeShards of this version`,
    )
  }
  const object = (value: unknown, name: string) =>
    record(value, () => fail(`${name} is missing or no object`))
  const number = (value: unknown, name: string, least = -1e7, most = 1e7): number =>
    typeof value === 'number' && value >= least && value <= most
      ? value
      : fail(`${name} is ${showValue(value)}, expected a number from ${least} to ${most}`)
  const numbers = (value: unknown, name: string, length?: number): Float32Array => {
    if (!Array.isArray(value) || (length !== undefined && value.length !== length) || value.length > 1e5) {
      return fail(`${name} is no list${length === undefined ? '' : ` of ${length}`} of numbers`)
    }
    return Float32Array.from(value, (item, i) => number(item, `${name}[${i}]`))
  }
  const box = object(root.box, 'box')
  const transform = object(root.transform, 'transform')
  const translation = numbers(transform.translation, 'transform.translation', 2)
  const landmarks = Array.isArray(root.landmarks) ? root.landmarks : fail('landmarks are missing')
  const points = numbers(landmarks.flat(), 'landmarks', 136)
  return {
    ...(text(root.identity) !== undefined && { identity: text(root.identity) }),
    ...(root.source !== undefined && { source: readSource(object(root.source, 'source'), number) }),
    ...(root.quality !== undefined && {
      quality: Object.fromEntries(
        Object.entries(object(root.quality, 'quality')).map(([k, v]) => [k, number(v, `quality.${k}`)]),
      ),
    }),
    ...(root.parameters !== undefined && {
      parameters: readParameters(object(root.parameters, 'parameters'), object, numbers),
    }),
    size: number(root.size, 'size', 8, 4096),
    annotation: {
      box: {
        x: number(box.x, 'box.x'),
        y: number(box.y, 'box.y'),
        width: number(box.width, 'box.width', 0),
        height: number(box.height, 'box.height', 0),
      },
      score: number(root.score, 'score', 0, 1),
      transform: {
        scale: number(transform.scale, 'transform.scale', 1e-6),
        rotation: number(transform.rotation, 'transform.rotation', -10, 10),
        // As doubles: float32 would move the pixels of large pictures.
        translation: (transform.translation as number[]).slice(0, translation.length) as [number, number],
      },
      landmarks: ndarray(points, [68, 2]),
      ...(root.landmarkVisibility !== undefined && {
        landmarkVisibility: numbers(root.landmarkVisibility, 'landmarkVisibility', 68),
      }),
      embedding: numbers(root.embedding ?? [], 'embedding'),
    },
  }
}

function parse(bytes: Uint8Array, who: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new DatasetError(
      `${who}: the .json cannot be parsed (${(cause as Error).message}); label the pictures again`,
      { cause },
    )
  }
}

function record(value: unknown, fail: () => never): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail()
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

function readSource(
  source: Record<string, unknown>,
  number: (value: unknown, name: string, least?: number, most?: number) => number,
): SampleSource {
  return {
    picture: text(source.picture) ?? '',
    width: number(source.width, 'source.width', 1),
    height: number(source.height, 'source.height', 1),
    face: number(source.face, 'source.face', 0),
    faces: number(source.faces, 'source.faces', 1),
  }
}

function readParameters(
  value: Record<string, unknown>,
  object: (value: unknown, name: string) => Record<string, unknown>,
  numbers: (value: unknown, name: string, length?: number) => Float32Array,
): SampleParameters {
  const groups = new Map(
    ['pose', 'illumination'].map((name) => [name, object(value[name], `parameters.${name}`)]),
  )
  return buildParameters((part) => {
    const parent = part.group ? groups.get(part.group)! : value
    return numbers(parent[part.name], `parameters.${parameterPath(part)}`, constantPartSize(part))
  })
}
