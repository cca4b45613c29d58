import { summarize } from '../measures/summarize.js'
import { type MeasureName, measures } from '../score/score-measures.js'
import type { EvaluationResults } from './evaluation-results.js'

/** Mean and standard deviation over faces. */
export interface TableCell {
  mean: number
  deviation: number
  faces: number
}

/** Methods by columns, of one measure. */
export interface ScoreTable {
  measure: MeasureName
  title: string
  unit: string
  digits: number
  columns: string[]
  /** `cells` as `columns`; undefined where no face was scored. */
  rows: { method: string; cells: (TableCell | undefined)[] }[]
}

/** A table for each measure that any face has, the main one first; with more than one column, `all` comes last.
 *
 * As in the paper, a face is one number, its mean; a cell is the mean and the deviation of those over faces.
 */
export function scoreTables({ groups, methods, results }: EvaluationResults): ScoreTable[] {
  const columns = groups.length > 1 ? [...groups, 'all'] : [...groups]
  return (Object.keys(measures) as MeasureName[]).flatMap((measure) => {
    if (!results.some(({ scores }) => scores?.[measure] !== undefined)) return []
    const rows = methods.map((method) => ({
      method,
      cells: columns.map((column) => {
        const values = results
          .filter((result) => result.method === method && (column === 'all' || result.group === column))
          .flatMap(({ scores }) => scores?.[measure] ?? [])
        if (values.length === 0) return undefined
        const { mean, deviation, count } = summarize(values)
        return { mean, deviation, faces: count }
      }),
    }))
    const { title, unit, digits } = measures[measure]
    return [{ measure, title, unit, digits, columns, rows }]
  })
}

/** A cell as the paper prints it: `1.60 ± 0.55`. */
export const cellText = (cell: TableCell | undefined, digits: number): string =>
  cell ? `${cell.mean.toFixed(digits)} ± ${cell.deviation.toFixed(digits)}` : '–'

const heading = ({ title, unit }: ScoreTable) => (unit ? `${title}, ${unit}` : title)

/** A table in Markdown; the best of each column is bold. */
export function tableMarkdown(table: ScoreTable): string {
  const best = table.columns.map((_, i) =>
    Math.min(...table.rows.map(({ cells }) => cells[i]?.mean ?? Number.POSITIVE_INFINITY)),
  )
  const lines = table.rows.map(({ method, cells }) => {
    const texts = cells.map((cell, i) => {
      const text = cellText(cell, table.digits)
      return cell && cell.mean === best[i] && table.rows.length > 1 ? `**${text}**` : text
    })
    return `| ${method.replaceAll('|', '\\|')} | ${texts.join(' | ')} | ${facesOf(cells)} |`
  })
  return [
    `### ${heading(table)}`,
    '',
    `| method | ${table.columns.join(' | ')} | faces |`,
    `|---|${table.columns.map(() => '---').join('|')}|---|`,
    ...lines,
    '',
  ].join('\n')
}

const facesOf = (cells: readonly (TableCell | undefined)[]) =>
  Math.max(0, ...cells.map((cell) => cell?.faces ?? 0))

/** All tables as one CSV: `measure,unit,method,column,mean,deviation,faces`. */
export function tablesCsv(tables: readonly ScoreTable[]): string {
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const lines = tables.flatMap(({ measure, unit, columns, rows }) =>
    rows.flatMap(({ method, cells }) =>
      cells.flatMap((cell, i) =>
        cell
          ? [
              [measure, unit, quote(method), quote(columns[i]), cell.mean, cell.deviation, cell.faces].join(
                ',',
              ),
            ]
          : [],
      ),
    ),
  )
  return `${['measure,unit,method,column,mean,deviation,faces', ...lines].join('\n')}\n`
}

/** A table in HTML. */
export function tableHtml(table: ScoreTable): string {
  const cells = (tag: string, texts: readonly (string | number)[]) =>
    texts.map((text) => `<${tag}>${escapeHtml(String(text))}</${tag}>`).join('')
  const rows = table.rows.map(
    ({ method, cells: values }) =>
      `<tr><th>${escapeHtml(method)}</th>${cells('td', [...values.map((cell) => cellText(cell, table.digits)), facesOf(values)])}</tr>`,
  )
  return `<table><caption>${escapeHtml(heading(table))}</caption><tr>${cells('th', ['method', ...table.columns, 'faces'])}</tr>${rows.join('')}</table>`
}

/** Text for HTML. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
