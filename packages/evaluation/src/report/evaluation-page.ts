import { comparableFaces } from './comparable-faces.js'
import { curvesSvg, errorCurves } from './error-curves.js'
import type { EvaluationResults } from './evaluation-results.js'
import { escapeHtml, scoreTables, tableHtml, tableMarkdown } from './score-tables.js'

/** A picture of the page. */
export interface PagePicture {
  /** Below the page's folder. */
  path: string
  caption: string
}

/** What could not be scored or is missing, a line each. */
export function missingLines({ methods, results, cases, problems }: EvaluationResults): string[] {
  const counts = methods.flatMap((method) => {
    const own = results.filter((result) => result.method === method)
    const scored = own.filter(({ scores }) => scores).length
    return scored < cases ? [`${method}: ${scored} of ${cases} faces were scored`] : []
  })
  const lines = results.flatMap(({ id, method, problems: own }) =>
    own.map((problem) => `${id}, ${method}: ${problem}`),
  )
  return [...problems, ...counts, ...lines]
}

const comparableTitle = ({ cases }: EvaluationResults) =>
  `Only the ${cases} ${cases === 1 ? 'face' : 'faces'} that every method scored`

/** Tables in Markdown, once more over the faces that all methods have in common where they scored different ones, and what is missing. */
export function evaluationMarkdown(evaluation: EvaluationResults): string {
  const missing = missingLines(evaluation)
  const comparable = comparableFaces(evaluation)
  return [
    `# ${evaluation.dataset}`,
    '',
    'Mean ± standard deviation over faces.',
    '',
    ...scoreTables(evaluation).map(tableMarkdown),
    ...(comparable
      ? [`## ${comparableTitle(comparable)}`, '', ...scoreTables(comparable).map(tableMarkdown)]
      : []),
    ...(missing.length > 0 ? ['### What is missing', '', ...missing.map((line) => `- ${line}`), ''] : []),
  ].join('\n')
}

/** A page with tables (as {@link evaluationMarkdown}), curves, error maps, and what is missing; needs nothing but the pictures beside it. */
export function evaluationHtml(evaluation: EvaluationResults, pictures: readonly PagePicture[]): string {
  const missing = missingLines(evaluation)
  const comparable = comparableFaces(evaluation)
  const section = (title: string, content: readonly string[]) =>
    content.length > 0 ? `<section><h2>${title}</h2>${content.join('\n')}</section>` : ''
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(evaluation.dataset)}: evaluation</title>
<style>${STYLE}</style>
<h1>${escapeHtml(evaluation.dataset)}</h1>
<p>${evaluation.cases} faces, ${evaluation.methods.length} methods; mean ± standard deviation over faces.</p>
${section('Tables', scoreTables(evaluation).map(tableHtml))}
${comparable ? section(comparableTitle(comparable), scoreTables(comparable).map(tableHtml)) : ''}
${section('Cumulative errors', errorCurves(evaluation).map(curvesSvg))}
${section(
  'Pictures',
  pictures.map(
    ({ path, caption }) =>
      `<figure><img src="${escapeHtml(path)}" alt="" loading="lazy"><figcaption>${escapeHtml(caption)}</figcaption></figure>`,
  ),
)}
${missing.length > 0 ? section('What is missing', [`<ul>${missing.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`]) : ''}
</html>
`
}

/** No script and no address: curves are inline, pictures lie beside the page, also when it is opened from disk. */
const POLICY =
  "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right;font-variant-numeric:tabular-nums}th:first-child{text-align:left}
figure{display:inline-block;margin:.5rem;vertical-align:top}figcaption{font-size:13px;color:#555}img{max-width:100%}svg{margin:.5rem;max-width:100%}
li{font-size:14px}`
