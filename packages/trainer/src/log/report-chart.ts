/** A curve: values at iterations. */
export interface Curve {
  name: string
  points: readonly (readonly [iteration: number, value: number])[]
}

const WIDTH = 560
const HEIGHT = 240
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 12, 12, 28]
const COLORS = ['#2563eb', '#d97706', '#059669', '#dc2626', '#7c3aed', '#0891b2', '#be185d', '#4d7c0f']
/** A curve has at most so many points in the picture. */
const MOST_POINTS = 400
/** From this ratio of largest to smallest on the scale is logarithmic. */
const LOGARITHMIC = 30

/** Draws curves of one kind as an SVG: faint as they are, and smoothed. */
export function drawChart(title: string, curves: readonly Curve[]): string {
  const shown = curves
    .map(({ name, points }) => ({ name, points: thin(points.filter(([, value]) => Number.isFinite(value))) }))
    .filter(({ points }) => points.length > 0)
  const all = shown.flatMap(({ points }) => points)
  if (all.length === 0) return ''
  const [least, most] = extent(all.map(([, value]) => value))
  const logarithmic = least > 0 && most / least > LOGARITHMIC
  const scale = logarithmic ? Math.log10 : (value: number) => value
  const [low, high] = widened(scale(least), scale(most))
  const [first, last] = extent(all.map(([iteration]) => iteration))
  const x = (iteration: number) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * (iteration - first)) / Math.max(1, last - first)
  const y = (value: number) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - scale(value))) / (high - low)
  const path = (points: Curve['points']) =>
    points.map(([i, value], k) => `${k === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('')
  const lines = shown.map(({ name, points }, k) => {
    const color = COLORS[k % COLORS.length]
    const final = points.at(-1)!
    const dot = `<circle cx="${x(final[0]).toFixed(1)}" cy="${y(final[1]).toFixed(1)}" r="2.5" fill="${color}"/>`
    const raw = `<path d="${path(points)}" stroke="${color}" opacity="0.25"/>`
    return `<g><title>${escape(name)}: ${format(final[1])}</title>${raw}<path d="${path(smooth(points))}" stroke="${color}"/>${dot}</g>`
  })
  const grid = ticks(low, high).map((tick) => {
    const at = TOP + ((HEIGHT - TOP - BOTTOM) * (high - tick)) / (high - low)
    const label = format(logarithmic ? 10 ** tick : tick)
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"/><text x="${LEFT - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${label}</text>`
  })
  const marks = [...new Set([first, last])].map(
    (iteration, k) =>
      `<text x="${x(iteration).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="${k === 0 ? 'start' : 'end'}">${iteration}</text>`,
  )
  const legend = shown.map(
    ({ name, points }, k) =>
      `<span><i style="background:${COLORS[k % COLORS.length]}"></i>${escape(name)} <b>${format(points.at(-1)![1])}</b></span>`,
  )
  return `<figure><figcaption>${escape(title)}${logarithmic ? ' <small>logarithmic</small>' : ''}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}"><g class="grid">${grid.join('')}${marks.join('')}</g><g fill="none" stroke-width="1.6">${lines.join('')}</g></svg>
<div class="legend">${legend.join('')}</div></figure>`
}

/** The least and the largest of very many numbers: as arguments of one call they would overflow the stack. */
function extent(values: readonly number[]): [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity]
  for (const value of values) {
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  return [least, most]
}

/** For text in HTML. */
export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A number in at most four digits. */
export function format(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2)
  return String(Number(value.toPrecision(4)))
}

/** Means of neighbours. */
function thin(points: Curve['points']): [number, number][] {
  const step = Math.max(1, Math.ceil(points.length / MOST_POINTS))
  const thinned: [number, number][] = []
  for (let at = 0; at < points.length; at += step) {
    const some = points.slice(at, at + step)
    thinned.push([some.at(-1)![0], some.reduce((sum, [, value]) => sum + value, 0) / some.length])
  }
  return thinned
}

/** Each point the mean of those around it, fewer at the ends. */
function smooth(points: Curve['points']): [number, number][] {
  const reach = Math.floor(points.length / 40)
  return points.map(([iteration], i) => {
    const side = Math.min(reach, i, points.length - 1 - i)
    const some = points.slice(i - side, i + side + 1)
    return [iteration, some.reduce((sum, [, value]) => sum + value, 0) / some.length]
  })
}

function widened(low: number, high: number): [number, number] {
  const room = high > low ? 0.05 * (high - low) : Math.abs(high) || 1
  return [low - room, high + room]
}

/** Three to six round numbers. */
function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const result: number[] = []
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step)
    result.push(Number(tick.toPrecision(12)))
  return result
}
