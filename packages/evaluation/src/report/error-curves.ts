import { type CumulativeErrors, cumulativeErrors } from '../measures/cumulative-errors.js'
import { measures, type MeasureName } from '../score/score-measures.js'
import type { EvaluationResults } from './evaluation-results.js'
import { escapeHtml } from './score-tables.js'

/** Cumulative errors of a method. */
export interface ErrorCurve {
  method: string
  curve: CumulativeErrors
}

/** Curves of all methods over one axis. */
export interface ErrorCurves {
  title: string
  unit: string
  limit: number
  curves: ErrorCurve[]
}

/** The cumulative error curves of an evaluation: over all points of all faces where there are scans (as NoW draws them), and over faces for each other
 * measure in the pictures. A face that could not be scored is a failure: its curve ends below 1. */
export function errorCurves(evaluation: EvaluationResults): ErrorCurves[] {
  const { methods, results, cases } = evaluation
  const drawn: ErrorCurves[] = []
  if (results.some(({ quantiles }) => quantiles)) {
    const limit = 7
    const curves = methods.map((method) => {
      const own = results.filter((result) => result.method === method && result.quantiles)
      const values = own.flatMap(({ quantiles }) => quantiles!)
      const weights = own.flatMap(({ quantiles, points }) =>
        quantiles!.map(() => points! / quantiles!.length),
      )
      return { method, curve: cumulativeErrors(values, limit, { weights }) }
    })
    drawn.push({ title: 'Distances of all points', unit: 'mm', limit, curves })
  }
  const overFaces: readonly (readonly [MeasureName, number])[] = [
    ['nmeBox', 10],
    ['nmeInterocular', 10],
    ['innerMouth', 10],
    ['color', 0.4],
  ]
  for (const [measure, limit] of overFaces) {
    if (!results.some(({ scores }) => scores?.[measure] !== undefined)) continue
    const curves = methods.map((method) => {
      const values = results
        .filter((result) => result.method === method)
        .map(({ scores }) => scores?.[measure] ?? Number.NaN)
      while (values.length < cases) values.push(Number.NaN)
      return { method, curve: cumulativeErrors(values, limit) }
    })
    drawn.push({ title: measures[measure].title, unit: measures[measure].unit, limit, curves })
  }
  return drawn
}

const COLORS = ['#0b6e4f', '#c8553d', '#2f4b7c', '#b5838d', '#7a5195', '#e09f3e', '#3d5a80', '#6c757d']
const [WIDTH, HEIGHT, LEFT, TOP] = [560, 340, 48, 28]

/** Cumulative error curves as SVG, with their areas in the legend. */
export function curvesSvg({ title, unit, limit, curves }: ErrorCurves): string {
  const right = WIDTH - 16
  const bottom = HEIGHT - 40
  const x = (error: number) => LEFT + ((right - LEFT) * error) / limit
  const y = (share: number) => bottom - (bottom - TOP) * share
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${LEFT}" x2="${right}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y(share) + 4}" text-anchor="end">${100 * share} %</text>`,
  )
  const ticks = Array.from({ length: 6 }, (_, i) => (limit * i) / 5).map(
    (error) =>
      `<text x="${x(error)}" y="${bottom + 16}" text-anchor="middle">${Number(error.toPrecision(2))}</text>`,
  )
  const lines = curves.map(({ curve: { errors, shares } }, i) => {
    const points = Array.from(errors, (error, k) => `${x(error).toFixed(1)},${y(shares[k]).toFixed(1)}`)
    return `<polyline fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="2" points="${points.join(' ')}"/>`
  })
  const legend = curves.map(
    ({ method, curve }, i) =>
      `<text x="${right - 8}" y="${bottom - 10 - 16 * (curves.length - 1 - i)}" text-anchor="end" fill="${COLORS[i % COLORS.length]}">${escapeHtml(method)}: area ${curve.area.toFixed(3)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12"><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><text x="${LEFT}" y="16" font-weight="bold">${escapeHtml(title)}</text>${grid.join('')}${ticks.join('')}<text x="${(LEFT + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">error${unit ? `, ${unit}` : ''}</text>${lines.join('')}${legend.join('')}</svg>`
}
