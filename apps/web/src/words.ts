import { AnnotationError, BackendError, ImageError, type Caution, type ReconstructProgress } from 'facekit'

/** What happens, in plain words. */
export const stageWords: Record<ReconstructProgress['stage'], string> = {
  loading: 'Getting ready',
  reading: 'Opening the picture',
  finding: 'Looking for a face',
  landmarks: 'Finding eyes, nose and mouth',
  shape: 'Shaping the face',
  texture: 'Painting the skin',
}

/** What the first face needs, MB: networks, the model of faces and heads, and the code that computes. */
const FIRST_MEGABYTES = 7

export function loadingWords(loadedBytes: number): string {
  const done = loadedBytes / 1e6
  const soFar = done < FIRST_MEGABYTES ? ` (${done.toFixed(1)} so far)` : ''
  return `The first time, about ${FIRST_MEGABYTES} MB are loaded${soFar}.`
}

/** What went wrong, and what to do. */
export function errorWords(error: unknown): { title: string; advice: string } {
  if (error instanceof AnnotationError)
    return {
      title: 'No face found in this picture',
      advice: 'Try a picture in which a face is sharp, well lit, and not covered by hands or a mask.',
    }
  if (error instanceof ImageError)
    return {
      title: 'This file cannot be opened as a picture',
      advice: 'It may be damaged, or of a kind that your browser does not know. JPEG and PNG always work.',
    }
  if (error instanceof BackendError)
    return {
      title: 'This browser could not do the work',
      advice: 'Close other tabs and try again, or use a current version of Chrome, Edge, Firefox or Safari.',
    }
  return {
    title: 'Something went wrong',
    advice: 'Load this page again. If it happens again, try another picture.',
  }
}

/** Where the words of an expression's name belong. */
const GROUPS: [title: string, pattern: RegExp][] = [
  ['Eyes', /^eye/],
  ['Eyebrows', /^brow/],
  ['Mouth', /^(mouth|tongue|jawOpen)/],
  ['Jaw, cheeks and nose', /^(jaw(?!Open)|cheek|nose)/],
]

/** Readable names of expressions: 'mouthSmileLeft' becomes 'Smile, left' under 'Mouth'. */
export function expressionGroups(
  names: readonly string[],
): { title: string; sliders: { name: string; label: string }[] }[] {
  return GROUPS.map(([title, pattern]) => ({
    title,
    sliders: names.filter((name) => pattern.test(name)).map((name) => ({ name, label: labelOf(name) })),
  })).filter(({ sliders }) => sliders.length > 0)
}

const SPECIAL: Record<string, string> = {
  browInnerUp: 'Raise the inner ends',
  mouthClose: 'Close the lips',
  mouthFunnel: 'Say "oh"',
  mouthPucker: 'Kiss',
  mouthLeft: 'Whole mouth to the left',
  mouthRight: 'Whole mouth to the right',
  mouthRollLower: 'Lower lip inwards',
  mouthRollUpper: 'Upper lip inwards',
  mouthShrugLower: 'Push the lower lip up',
  mouthShrugUpper: 'Push the upper lip up',
  jawOpen: 'Open the mouth',
  jawForward: 'Jaw forward',
  jawLeft: 'Jaw to the left',
  jawRight: 'Jaw to the right',
  cheekPuff: 'Puff the cheeks',
  tongueOut: 'Tongue out',
}

const VERBS: Record<string, string> = {
  eyeBlink: 'Close the eye',
  eyeLookDown: 'Look down',
  eyeLookIn: 'Look towards the nose',
  eyeLookOut: 'Look outwards',
  eyeLookUp: 'Look up',
  eyeSquint: 'Squint',
  eyeWide: 'Open wide',
  browDown: 'Lower',
  browOuterUp: 'Raise the outer end',
  mouthDimple: 'Dimple',
  mouthFrown: 'Corner down',
  mouthLowerDown: 'Lower lip down',
  mouthPress: 'Press the lips',
  mouthSmile: 'Smile',
  mouthStretch: 'Stretch',
  mouthUpperUp: 'Upper lip up',
  cheekSquint: 'Raise the cheek',
  noseSneer: 'Wrinkle the nose',
}

function labelOf(name: string): string {
  const [, stem, side] = /^(.*?)(Left|Right)?$/.exec(name)!
  const special = SPECIAL[name]
  if (special) return special
  const words = VERBS[stem] ?? stem.replace(/([A-Z])/g, ' $1').toLowerCase()
  return side ? `${words}, ${side.toLowerCase()}` : words
}

/** Lights by their names in `facekit`. */
export const lightWords = {
  photograph: 'As in the picture',
  studio: 'Studio',
  daylight: 'Daylight',
  window: 'By a window',
  sunset: 'Sunset',
  evening: 'Evening lamp',
  side: 'From the side',
} as const

/** What the face is drawn as. */
export const modeWords = {
  lit: 'Natural',
  diffuse: 'Skin colour',
  specular: 'Shine',
  shape: 'Shape only',
  normal: 'Directions',
  uncertainty: 'How sure',
} as const

/** One sentence for each. */
export const modeHints: Record<keyof typeof modeWords, string> = {
  lit: 'The face in the light that you choose.',
  diffuse: 'The colour of the skin alone, without any light.',
  specular: 'Where the skin shines: the brighter, the more it reflects.',
  shape: 'Grey, like clay: only the form.',
  normal: 'Each colour is a direction in which the surface looks.',
  uncertainty: 'How far each point may be off: violet is sure, yellow is 5 mm or more.',
}

/** Beside the colours of `How sure`, from violet to yellow. */
export const uncertaintyMarks = ['sure', '2.5 mm', '5 mm or more'] as const

/** What a picture leaves open, and how a better one would look. */
export const cautionWords: Record<Caution, string> = {
  small:
    'The face is small in this picture, so fine details are guessed. A picture from nearer would show more.',
  turned: 'The face looks to the side, so one half is guessed. Add a picture from the other side.',
  'colored-light':
    'The light in this picture is coloured, so the skin colour may be off. Daylight would show it.',
  doubtful:
    'Parts of the face are hard to see here, so the form may be off. Try a picture without hair, hands or shadows before it.',
}

/** When the graphics processor fails while it works. */
export const slowWords = 'Your graphics processor failed, so this took longer. The face is the same.'
