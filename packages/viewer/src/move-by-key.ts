import type { Stage } from './stage.js'

/** Degrees for a press. */
const KEYS: Record<string, [right: number, up: number]> = {
  ArrowLeft: [-5, 0],
  ArrowRight: [5, 0],
  ArrowUp: [0, 5],
  ArrowDown: [0, -5],
}

/** Turns the face by arrow keys, zooms by plus and minus, and goes back by Home.
 *
 * @returns whether the key means something
 */
export function moveByKey(stage: Stage, { key, altKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
  if (altKey || ctrlKey || metaKey) return false
  if (KEYS[key]) stage.orbit(...KEYS[key])
  else if (key === '+' || key === '=') stage.zoom(1.1)
  else if (key === '-') stage.zoom(1 / 1.1)
  else if (key === 'Home') stage.resetView()
  else return false
  return true
}
