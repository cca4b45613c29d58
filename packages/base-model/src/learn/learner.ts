import { ValueError } from '@facekit/core'
import { observeAlbedo } from './albedo-observations.js'
import { albedoStatistics, meanAlbedo } from './albedo-modes.js'
import { alignFaces } from './align-faces.js'
import { loadFaceMesh, type FaceMeshNetwork } from './face-mesh-network.js'
import { identityModes } from './identity-modes.js'
import { identityStatistics } from './identity-statistics.js'
import { learnExpressions } from './learn-expressions.js'
import { learnLandmarks } from './learn-landmarks.js'
import type { LearnedFaceModel, LearnFaceModelOptions } from './learning-options.js'
import { readLearningTemplate, vertexAreas } from './learning-template.js'
import { observePeople, type LearningPerson } from './observe-people.js'
import { packLearnedModel, skinTone } from './pack-learned-model.js'
import { readBaseModel } from '../read-base-model.js'

const LEAST_PEOPLE = 3
/** Learned share of the identity covariance; between 0.2 and 0.5 little changes. */
const LEARNED_SHARE = 0.2
const ASYMMETRY = 0.18
/** Root mean square distance of a random face from the mean, mm. */
const SPREAD = 3.3

const yieldToEventLoop = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** The work behind `learnFaceModel`. */
export async function learn(
  people: readonly LearningPerson[],
  templateBytes: Uint8Array,
  options: LearnFaceModelOptions,
): Promise<LearnedFaceModel> {
  const {
    signal,
    onProgress,
    stretch = 1,
    identityModes: identityCount = 80,
    albedoModes: albedoCount = 43,
  } = options
  if (people.length < LEAST_PEOPLE) {
    throw new ValueError(
      `learnFaceModel: ${people.length} people, expected at least ${LEAST_PEOPLE} (statistics begin at some hundred); add people`,
    )
  }
  const template = readLearningTemplate(templateBytes)
  const begin = async (stage: 'align' | 'identity' | 'expression' | 'albedo' | 'pack') => {
    signal?.throwIfAborted()
    onProgress?.({ stage, done: 0, total: 1 })
    await yieldToEventLoop()
  }
  let network: Promise<FaceMeshNetwork> | undefined
  const open = () => (network ??= options.network ? Promise.resolve(options.network) : loadFaceMesh())
  let observed
  try {
    observed = await observePeople(people, template, open, {
      cache: options.cache,
      signal,
      onPerson: (done) => onProgress?.({ stage: 'photographs', done, total: people.length }),
    })
  } finally {
    if (network && !options.network) await network.then((n) => n.dispose()).catch(() => {})
  }
  await begin('align')
  const { faces, poseShare } = alignFaces(observed, template)
  const withFaces = new Set(faces.map(({ person }) => person)).size
  if (withFaces < LEAST_PEOPLE) {
    throw new ValueError(
      `learnFaceModel: faces of ${withFaces} people were found, expected at least ${LEAST_PEOPLE}; are the photographs of faces, one folder a person?`,
    )
  }
  const landmarks = learnLandmarks(observed, faces, template)
  await begin('identity')
  const { fields } = identityStatistics(faces, template, { stretch })
  const identity = identityModes(template.control, Array.from(template.controlMirror), template.controlArea, {
    count: identityCount,
    learned: fields,
    learnedShare: LEARNED_SHARE,
    asymmetry: ASYMMETRY,
    rootMeanSquare: SPREAD,
  })
  await begin('expression')
  const names = template.file.names('expression_names')
  const initial = template.file.fields('expression')
  const width = initial.values.length / initial.count
  const expression = await learnExpressions(
    faces,
    template,
    names,
    names.map((_, k) => Float64Array.from(initial.values.subarray(k * width, (k + 1) * width))),
    async (done, total) => {
      signal?.throwIfAborted()
      onProgress?.({ stage: 'expression', done, total })
      await yieldToEventLoop()
    },
  )
  const { skinEnd } = template
  const regions = template.file.lists('regions')
  const region = (name: string) => regions[template.file.names('region_names').indexOf(name)]
  const skin = new Float64Array(skinEnd)
  for (const i of region('skin')) if (i < skinEnd) skin[i] = 1
  for (const i of region('lids')) if (i < skinEnd) skin[i] = 0
  const areas = vertexAreas(template.mean, template.triangles)
  const observe = async (pass: 0 | 1, expected: ArrayLike<number>) => {
    const observations = await observeAlbedo(
      observed,
      faces,
      template,
      expected,
      skin,
      async (done, total) => {
        signal?.throwIfAborted()
        onProgress?.({ stage: 'albedo', done: pass * total + done, total: 2 * total })
        await yieldToEventLoop()
      },
    )
    if (new Set(observations.map(({ person }) => person)).size < LEAST_PEOPLE) {
      throw new ValueError(
        'learnFaceModel: too few photographs are frontal and fine enough (32 pixels between the outer corners of the eyes) for albedo; add larger ones',
      )
    }
    return observations
  }
  await begin('albedo')
  const painted = template.file.floats('diffuse_mean')
  const first = meanAlbedo(await observe(0, painted), template)
  // The second time, the light is found with the albedo that faces turned out to have.
  const tone = skinTone(template, painted)
  const albedo = albedoStatistics(
    await observe(
      1,
      first.map((value, i) => value * tone[i % 3]),
    ),
    template,
    areas,
    albedoCount,
  )
  await begin('pack')
  const bytes = packLearnedModel(template, {
    identity: identity.fields,
    expression: expression.fields,
    albedo,
    ...(landmarks && { landmarks }),
    name: options.name ?? 'learned',
    license: options.license ?? 'unknown',
    origin: options.origin ?? `Learned from ${faces.length} photographs of ${withFaces} people.`,
  })
  return {
    model: readBaseModel(bytes),
    bytes,
    report: {
      people: withFaces,
      photographs: faces.length,
      poseShare,
      landmarksMoved: landmarks?.moved ?? 0,
      expressionExplained: expression.explained,
      albedoPeople: albedo.people,
      albedoExplained: albedo.explained,
      albedoRepeatability: albedo.repeatability,
      toneDeviation: albedo.toneDeviation,
    },
  }
}
