import { arkitModes, arkitNames, arkitWeights } from '@facekit/parameters'
import { describe, expect, it } from 'vitest'

describe('arkitNames', () => {
  it('value: 52 different names in alphabetical order', () => {
    expect(arkitNames).toHaveLength(52)
    expect([...arkitNames].sort()).toEqual([...new Set(arkitNames)])
  })
})

describe('arkitModes', () => {
  it('value: by whole names, by halves, and by the endings of ICT-FaceKit', () => {
    const modes = arkitModes(['jawOpen', 'browInnerUp_L', 'browInnerUp_R', 'eyeBlinkRight', 'smirk'])
    const of = (name: (typeof arkitNames)[number]) => modes[arkitNames.indexOf(name)]
    expect(of('jawOpen')).toEqual([0])
    expect(of('browInnerUp')).toEqual([1, 2])
    expect(of('eyeBlinkRight')).toEqual([3])
    expect(of('eyeBlinkLeft')).toEqual([])
  })
})

describe('arkitWeights', () => {
  it('value: sides that ARKit does not part get their mean, and weights stay in 0..1', () => {
    const names = ['jawOpen', 'browInnerUpLeft', 'browInnerUpRight', 'jawLeft']
    const weights = arkitWeights([1.2, 0.5, 0.1, -0.3], names)
    const of = (name: (typeof arkitNames)[number]) => weights[arkitNames.indexOf(name)]
    expect([of('jawOpen'), of('jawLeft'), of('tongueOut')]).toEqual([1, 0, 0])
    expect(of('browInnerUp')).toBeCloseTo(0.3, 6)
  })
})
