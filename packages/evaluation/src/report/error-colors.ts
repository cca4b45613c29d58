/** Stops of the scale: from blue by green and yellow to red, encoded; even in lightness steps so that it reads in grey, too. */
const STOPS = [
  [0.19, 0.21, 0.58],
  [0.27, 0.56, 0.75],
  [0.67, 0.85, 0.65],
  [0.99, 0.88, 0.5],
  [0.95, 0.43, 0.26],
  [0.65, 0, 0.15],
]
/** What was not compared. */
const NOTHING = [0.55, 0.55, 0.55]

/** Encoded RGB of an error on a scale from 0 to a limit; grey for NaN. */
export function errorColor(error: number, limit: number): [number, number, number] {
  if (Number.isNaN(error)) return [...NOTHING] as [number, number, number]
  const at = Math.min(Math.max(error / limit, 0), 1) * (STOPS.length - 1)
  const low = Math.min(Math.floor(at), STOPS.length - 2)
  return [0, 1, 2].map((c) => STOPS[low][c] + (at - low) * (STOPS[low + 1][c] - STOPS[low][c])) as [
    number,
    number,
    number,
  ]
}
