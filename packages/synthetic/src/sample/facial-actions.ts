/** Expressions that faces make, as people see them, by the names of ARKit's coefficients without their side. */
export interface FacialAction {
  /** How often, relative to the others. */
  weight: number
  /** Coefficients as `[smallest, largest]`. */
  coefficients: Readonly<Record<string, readonly [number, number]>>
  /** Share in which the lips touch. */
  closed: number
  /** Share in which it is made with one side of the face. */
  oneSided?: number
  /** How far the lids are open, `[smallest, largest]` of what they are without the action. */
  lids?: readonly [number, number]
}

// Which coefficients move together follows the action units of Ekman and Friesen's Facial Action Coding System: 6 + 12 is a smile that reaches
// the eyes, 4 + 7 + 24 anger, 1 + 4 + 15 + 17 sadness, 1 + 2 + 5 + 26 surprise, 9 + 10 disgust, 1 + 2 + 4 + 5 + 20 fear.

/** What a face does; coefficients that a model does not have are left out. */
export const facialActions: readonly FacialAction[] = [
  // At rest, or nearly.
  { weight: 20, closed: 0.72, coefficients: {} },
  // A smile with closed lips, with teeth, a laugh.
  {
    weight: 12,
    closed: 0.85,
    coefficients: {
      mouthSmile: [0.2, 0.9],
      cheekSquint: [0.1, 0.6],
      eyeSquint: [0.0, 0.32],
      mouthDimple: [0, 0.4],
      mouthPress: [0, 0.3],
    },
  },
  {
    weight: 11,
    closed: 0,
    coefficients: {
      mouthSmile: [0.4, 1],
      cheekSquint: [0.2, 0.9],
      eyeSquint: [0.07, 0.42],
      mouthUpperUp: [0.1, 0.5],
      mouthLowerDown: [0, 0.35],
      mouthStretch: [0, 0.3],
      jawOpen: [0, 0.12],
    },
  },
  {
    weight: 5,
    closed: 0,
    lids: [0.35, 1],
    coefficients: {
      mouthSmile: [0.5, 1],
      cheekSquint: [0.5, 1],
      eyeSquint: [0.21, 0.56],
      mouthUpperUp: [0.1, 0.6],
      jawOpen: [0.15, 0.65],
      noseSneer: [0, 0.3],
    },
  },
  // One corner of the mouth.
  { weight: 3, closed: 0.85, oneSided: 1, coefficients: { mouthSmile: [0.3, 1], mouthDimple: [0, 0.6] } },
  // Anger, concentration, sadness, doubt.
  {
    weight: 5,
    closed: 0.8,
    lids: [0.7, 1],
    coefficients: {
      browDown: [0.3, 1],
      eyeSquint: [0.0, 0.42],
      mouthFrown: [0, 0.6],
      mouthPress: [0, 0.8],
      noseSneer: [0, 0.5],
    },
  },
  {
    weight: 5,
    closed: 0.8,
    lids: [0.6, 1],
    coefficients: {
      browInnerUp: [0.2, 1],
      browDown: [0, 0.3],
      mouthFrown: [0.2, 0.9],
      mouthShrugLower: [0, 0.8],
      mouthPress: [0, 0.3],
    },
  },
  {
    weight: 3,
    closed: 0.9,
    coefficients: {
      mouthShrugLower: [0.3, 1],
      mouthShrugUpper: [0, 0.6],
      mouthFrown: [0, 0.7],
      browOuterUp: [0, 0.7],
    },
  },
  // Surprise, fright, disgust.
  {
    weight: 4,
    closed: 0.15,
    coefficients: { browInnerUp: [0.3, 1], browOuterUp: [0.3, 1], eyeWide: [0.2, 1], jawOpen: [0.05, 0.6] },
  },
  {
    weight: 2,
    closed: 0.1,
    coefficients: {
      browInnerUp: [0.3, 1],
      browDown: [0, 0.4],
      eyeWide: [0.2, 1],
      mouthStretch: [0.2, 0.9],
      jawOpen: [0, 0.35],
      mouthLowerDown: [0, 0.4],
    },
  },
  {
    weight: 3,
    closed: 0.3,
    oneSided: 0.2,
    lids: [0.5, 1],
    coefficients: {
      noseSneer: [0.3, 1],
      mouthUpperUp: [0, 0.7],
      browDown: [0, 0.8],
      cheekSquint: [0, 0.6],
      eyeSquint: [0.0, 0.49],
    },
  },
  // A kiss, an O, blown cheeks, lips that are pressed or bitten.
  { weight: 4, closed: 0.7, coefficients: { mouthPucker: [0.4, 1], mouthFunnel: [0, 0.25] } },
  {
    weight: 3,
    closed: 0,
    coefficients: { mouthFunnel: [0.3, 1], mouthPucker: [0, 0.5], jawOpen: [0.05, 0.35] },
  },
  { weight: 2, closed: 1, coefficients: { cheekPuff: [0.3, 1], mouthPucker: [0, 0.4] } },
  {
    weight: 4,
    closed: 1,
    coefficients: {
      mouthPress: [0.2, 1],
      mouthRollUpper: [0, 0.6],
      mouthRollLower: [0, 0.6],
      mouthDimple: [0, 0.5],
    },
  },
  { weight: 2, closed: 0.7, coefficients: { mouthRollLower: [0.4, 1] } },
  // Talking: vowels, and consonants with and without lips.
  {
    weight: 8,
    closed: 0,
    coefficients: {
      jawOpen: [0.05, 0.4],
      mouthLowerDown: [0, 0.4],
      mouthUpperUp: [0, 0.25],
      mouthStretch: [0, 0.4],
    },
  },
  {
    weight: 6,
    closed: 0.1,
    coefficients: {
      jawOpen: [0.02, 0.25],
      mouthFunnel: [0, 0.6],
      mouthPucker: [0, 0.6],
      mouthSmile: [0, 0.3],
    },
  },
  {
    weight: 4,
    closed: 0.85,
    coefficients: {
      mouthPress: [0, 0.5],
      mouthRollLower: [0, 0.3],
      mouthPucker: [0, 0.3],
      mouthStretch: [0, 0.3],
    },
  },
  // A shout, a yawn.
  {
    weight: 4,
    closed: 0,
    lids: [0.15, 1],
    coefficients: {
      jawOpen: [0.5, 1],
      mouthStretch: [0, 0.5],
      mouthLowerDown: [0, 0.4],
      browInnerUp: [0, 0.5],
      eyeSquint: [0.0, 0.63],
    },
  },
  // The jaw and the mouth aside or forwards.
  {
    weight: 3,
    closed: 0.6,
    coefficients: {
      mouthLeft: [0, 1],
      jawLeft: [0, 0.7],
      jawForward: [0, 0.5],
    },
  },
  {
    weight: 3,
    closed: 0.6,
    coefficients: {
      mouthRight: [0, 1],
      jawRight: [0, 0.7],
      jawForward: [0, 0.5],
    },
  },
  // The tongue out.
  {
    weight: 1.5,
    closed: 0,
    coefficients: { tongueOut: [0.3, 1], jawOpen: [0.15, 0.6], mouthFunnel: [0, 0.3] },
  },
]
