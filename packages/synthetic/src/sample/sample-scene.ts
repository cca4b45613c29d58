import { createRandom } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera } from '@facekit/render'
import { fixedCoefficients } from './fixed-parameters.js'
import { expressionSampler } from './sample-expression.js'
import { createPeople } from './sample-face.js'
import { sampleRotation } from './sample-rotation.js'
import { sampleHair, sampleOccluders } from './sample-looks.js'
import { lightView } from './light-view.js'
import { sampleLight, sampleShadow, sampleWetLook } from './sample-light.js'
import { sampleBackground, sampleCamera } from './sample-surroundings.js'
import { frameFace, rotationOf, turn, turnBack, type SampledPose } from './frame-face.js'
import { foldSampler } from './skin-folds.js'
import { vector3 } from '../vector.js'
import { hashSeed } from './hash-seed.js'
import { landmarkShape } from './landmark-shape.js'
import type { SynthesizerSettings } from '../complete-options.js'

// What a stream of random numbers is for, so that one does not move when more is sampled from another.
const POSE = 2
const LIGHT = 3
const LOOKS = 4
const OCCLUDERS = 5
const BACKGROUND = 6
const CAMERA = 7
const SHADOW = 8
const FOLDS = 9
const DOWNWARDS = 10
/** About where a head turns on its neck, mm. */
const NECK = [0, -110, -52] as const

/** Samples everything about a picture: the same numbers for the same seed and number of the picture. */
export function sceneSampler(model: MorphableModel, settings: SynthesizerSettings) {
  const { seed, size, picturesPerIdentity, identities, framing, fixed } = settings
  const always = fixedCoefficients(model, fixed)
  const people = createPeople(model, seed, settings.identityDeviation)
  const shapeOf = landmarkShape(model)
  const foldsOf = foldSampler(model)
  const sampleExpression = expressionSampler(model, settings.expression)
  return (picture: number) => {
    const stream = (purpose: number, number = picture) => createRandom(hashSeed(seed, purpose, number))
    const group = Math.floor(picture / picturesPerIdentity)
    const person = identities === undefined ? group : group % identities
    const own = people(person)
    const { identity, albedo, tone } = { ...own, ...always }
    const random = stream(POSE)
    const sampled = sampleExpression(random, identity, stream(DOWNWARDS))
    const expression = always.expression ?? sampled
    const anywhere = sampleRotation(random, settings.pose)
    const degree = Math.PI / 180
    const turned = fixed.rotation
      ? ([fixed.rotation[0] * degree, fixed.rotation[1] * degree, 0] as const)
      : ([anywhere.pitch, anywhere.yaw, 0] as const)
    const between = ([smallest, largest]: readonly [number, number]) =>
      Math.exp(random.uniform(Math.log(smallest), Math.log(largest)))
    const shift = () => random.normal(0, framing.shift * size)
    const upright = fixed.rotation ? 0 : anywhere.roll
    const wanted = {
      scale: between(framing.scale),
      roll: fixed.rotation ? fixed.rotation[2] * degree : anywhere.tilt + anywhere.roll,
      shift: [shift(), shift()] as const,
      distance: framing.distance && between(framing.distance),
    }
    const pose = frameFace(shapeOf(identity, expression), turned, wanted, defaultCamera, size)
    const body = bodyPose(pose, random.uniform(0, 0.7), upright)
    const light = sampleLight(stream(LIGHT), settings.light)
    const shadows = stream(SHADOW)
    const folds = foldsOf(stream(FOLDS, person), expression)
    return {
      identity,
      expression,
      albedo,
      rotation: pose.rotation,
      translation: pose.translation,
      scale: [pose.scale],
      depthScale: [pose.depthScale],
      bodyRotation: body.rotation,
      bodyTranslation: body.translation,
      sphericalHarmonics: fixed.sphericalHarmonics ?? light.sphericalHarmonics,
      lightPosition: light.lightPosition,
      lightColor: light.lightColor,
      shininess: [light.shininess],
      lightView: lightView(light.lightPosition, pose),
      keyShadow: sampleShadow(shadows, fixed.sphericalHarmonics ? 0 : light.keyShare),
      wetLook: sampleWetLook(shadows, light.lightPosition),
      foldLook: [folds.nasolabial, folds.forehead, folds.frown],
      person: [person],
      ...sampleHair(stream(LOOKS, person), settings.hair.bald, tone),
      ...sampleOccluders(stream(OCCLUDERS), settings),
      ...sampleBackground(stream(BACKGROUND), settings),
      ...sampleCamera(stream(CAMERA), settings, wanted.scale),
    }
  }
}

/** All numbers of a picture. */
export type SceneSamples = ReturnType<ReturnType<typeof sceneSampler>>

/** A body that has turned by a share of what the head has, with the neck in its place.
 *
 * @param upright - roll of the picture, which both have
 */
function bodyPose(head: SampledPose, share: number, upright: number): SampledPose {
  const [pitch, yaw, roll] = head.rotation
  const rotation: [number, number, number] = [
    pitch * share * 0.5,
    yaw * share,
    upright + (roll - upright) * share,
  ]
  const moved = vector3((c) => NECK[c] + head.translation[c])
  const there = turnBack(rotationOf(rotation), turn(rotationOf(head.rotation), moved))
  return {
    rotation,
    translation: vector3((c) => there[c] - NECK[c]),
    scale: head.scale,
  }
}
