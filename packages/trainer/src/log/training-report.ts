import { readRegularFile, writeFileAtomic } from '@facekit/core'
import { drawChart, escape, format, type Curve } from './report-chart.js'
import { readTrainingLog, type LogLine } from './training-log.js'

/** Panels in a report: the first, the last, and some between. */
const MOST_PANELS = 6
const PANEL = /^panels\/panel-\d{1,12}\.png$/
const LARGEST_PANEL = 64 * 2 ** 20

/** Writes `report.html` into the folder of a training: curves of all that was logged, and panels, in one page that needs nothing else. Node only.
 *
 * `runTraining` does it at its end; it can be done at any time.
 *
 * @returns its path
 * @throws the file system's own error
 */
export async function writeTrainingReport(folder: string): Promise<string> {
  const { basename, join, resolve } = await import('node:path')
  const lines = await readTrainingLog(join(folder, 'log.jsonl'))
  const panels = await Promise.all(
    chosen(lines.filter(({ panel }) => panel !== undefined)).map(async ({ iteration, panel }) => {
      // Only what a log of ours names: a path could lead anywhere.
      if (!PANEL.test(panel!)) return undefined
      const png = await readRegularFile(join(folder, panel!), LARGEST_PANEL).catch(() => undefined)
      return png && { iteration, source: `data:image/png;base64,${Buffer.from(png).toString('base64')}` }
    }),
  )
  const path = join(folder, 'report.html')
  const shown = panels.filter((panel) => panel !== undefined)
  await writeFileAtomic(path, page(basename(resolve(folder)), lines, shown))
  return path
}

function chosen<T>(items: readonly T[]): T[] {
  if (items.length <= MOST_PANELS) return [...items]
  const step = (items.length - 1) / (MOST_PANELS - 1)
  return Array.from({ length: MOST_PANELS }, (_, i) => items[Math.round(i * step)])
}

interface Panel {
  iteration: number
  source: string
}

function page(title: string, lines: readonly LogLine[], panels: readonly Panel[]): string {
  const last = lines.findLast(({ loss }) => loss !== undefined)
  const evaluation = lines.findLast((line) => line.evaluation)?.evaluation ?? {}
  const facts: [string, string][] = [
    ['iterations', String(lines.at(-1)?.iteration ?? 0)],
    ...(last?.loss === undefined ? [] : [['loss', format(last.loss)] as [string, string]]),
    ...Object.entries(evaluation).map(([name, value]): [string, string] => [name, format(value)]),
    ...(last?.speed === undefined ? [] : [['iterations a second', format(last.speed)] as [string, string]]),
    ...(last?.waitShare === undefined
      ? []
      : [['waited for batches', `${(100 * last.waitShare).toFixed(1)} %`] as [string, string]]),
  ]
  const events = lines.filter(({ event }) => event !== undefined && event !== 'checkpoint')
  return `<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}: training</title>
<style>${STYLE}</style>
<h1>${escape(title)}</h1>
<dl>${facts.map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`).join('')}</dl>
${events.map(({ iteration, event }) => `<p class="event">${iteration}: ${escape(event!)}</p>`).join('\n')}
<main>${charts(lines).join('\n')}</main>
${panels.map(({ iteration, source }) => `<figure class="panel"><figcaption>iteration ${iteration}</figcaption><img src="${source}" alt="reconstructions at iteration ${iteration}"></figure>`).join('\n')}
</html>
`
}

function charts(lines: readonly LogLine[]): string[] {
  const curve = (name: string, value: (line: LogLine) => number | undefined): Curve => ({
    name,
    points: lines.flatMap((line) => {
      const number = value(line)
      return typeof number === 'number' ? [[line.iteration, number] as const] : []
    }),
  })
  const names = (key: 'terms' | 'evaluation') => [
    ...new Set(lines.flatMap((line) => Object.keys(line[key] ?? {}))),
  ]
  return [
    drawChart('loss', [curve('total', ({ loss }) => loss)]),
    ...names('terms').map((name) => drawChart(name, [curve(name, ({ terms }) => terms?.[name])])),
    ...names('evaluation').map((name) =>
      drawChart(`held out: ${name}`, [curve(name, ({ evaluation }) => evaluation?.[name])]),
    ),
    drawChart('learning rate', [curve('learning rate', ({ learningRate }) => learningRate)]),
    drawChart('norm of the gradient', [curve('norm', ({ gradientNorm }) => gradientNorm)]),
    drawChart('iterations a second', [curve('speed', ({ speed }) => speed)]),
  ].filter((chart) => chart !== '')
}

/** No script, no other file, no address: curves are inline, pictures are data. */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #888 }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1240px; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 0 1rem }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 0 1.5rem }
dt { color: var(--soft); font-size: .8rem } dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 1.5rem }
figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; padding: .8rem }
figcaption { font-weight: 600; margin-bottom: .4rem } small { color: var(--soft); font-weight: 400 }
svg { width: 100%; height: auto; display: block } svg text { fill: currentColor; font-size: 12px; opacity: .7 }
.grid line { stroke: var(--line) }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .85rem }
.legend i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em }
.panel { margin-top: 1.5rem } .panel img { max-width: 100% }
.event { border-left: 3px solid #d97706; padding-left: .7rem }`
