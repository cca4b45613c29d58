import { pointBasis, projectPoints, projectPointsWithJacobian } from '@facekit/fit'
import { defaultCamera } from '@facekit/render'
import { describe, expect, it } from 'vitest'
import { denseFace, randomState } from './dense-face.js'

const model = denseFace()
const basis = pointBasis(
  model,
  Array.from(model.denseLandmarks!, (vertex) => [vertex]),
)
const chosen = Int32Array.from(basis.candidates, ([row]) => row)

describe('projectPoints', () => {
  it('gradient: the Jacobian is that of central differences, for every number of the state', () => {
    for (const projection of ['perspective', 'weak-perspective'] as const)
      for (const numbers of [2, 3] as const) {
        const view = { camera: { ...defaultCamera, projection }, width: 224, height: 200, numbers }
        const state = randomState(model, 3)
        state[7] = 0.2
        const n = state.length
        const jacobian = new Float64Array(chosen.length * numbers * n)
        const seen = projectPointsWithJacobian(basis, state, chosen, view, jacobian)
        expect(Array.from(seen)).toEqual(Array.from(projectPoints(basis, state, chosen, view)))
        for (let k = 0; k < n; k++) {
          const step = k > 2 && k < 6 ? 1e-3 : 1e-5
          const moved = (by: number) =>
            projectPoints(
              basis,
              state.map((value, i) => value + (i === k ? by : 0)),
              chosen,
              view,
            )
          const [after, before] = [moved(step), moved(-step)]
          let most = 0
          let worst = 0
          for (let r = 0; r < seen.length; r++) {
            const expected = (after[r] - before[r]) / (2 * step)
            most = Math.max(most, Math.abs(expected))
            worst = Math.max(worst, Math.abs(jacobian[r * n + k] - expected))
          }
          expect(worst, `number ${k} of ${projection}, ${numbers}`).toBeLessThan(1e-6 * Math.max(most, 1))
        }
      }
  })
})
