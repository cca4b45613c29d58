import type { SkippedPicture } from '../samples/shard-index.js'

/** A face on a contact sheet. */
export interface SheetFace {
  key: string
  identity: string
  picture: string
  quality: Record<string, number>
}

/** What a contact sheet shows. */
export interface Sheet {
  title: string
  /** Pixels of a thumbnail. */
  size: number
  /** Thumbnails in a row, and rows, of a picture of thumbnails. */
  columns: number
  /** Those on the sheet. */
  faces: readonly SheetFace[]
  /** Of how many. */
  of: number
  skipped: readonly SkippedPicture[]
  unreadable: readonly string[]
}

/** The page of a contact sheet, with its data and its program in it. Node only. */
export async function sheetPage(sheet: Sheet): Promise<string> {
  const { createHash } = await import(/* webpackIgnore: true */ 'node:crypto')
  const hash = createHash('sha256').update(PROGRAM).digest('base64')
  const { title, faces, of, skipped, unreadable, size, columns } = sheet
  const measures = [...new Set(faces.flatMap(({ quality }) => Object.keys(quality)))]
  const rows = faces.map(({ key, identity, picture, quality }) => [
    key,
    identity,
    picture,
    ...measures.map((name) => quality[name] ?? null),
  ])
  const data = JSON.stringify({ size, columns, measures, rows }).replaceAll('<', '\\u003c')
  const listed = [
    ...unreadable.map((line) => `<li>${escape(line)}</li>`),
    ...skipped.map(({ picture, reason }) => `<li>${escape(picture)}: ${escape(reason)}</li>`),
  ]
  const options = measures.map((name) => `<option>${escape(name)}</option>`).join('')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src 'self' file:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
  body { font: 14px/1.4 system-ui, sans-serif; margin: 16px; background: #161616; color: #ddd }
  h1 { font-size: 18px; margin: 0 0 4px }
  form { display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; position: sticky; top: 0; padding: 8px 0; background: #161616 }
  input[type=range] { vertical-align: middle }
  #faces { display: flex; flex-wrap: wrap; gap: 6px }
  figure { margin: 0; width: ${size}px; cursor: zoom-in }
  figure div { width: ${size}px; height: ${size}px }
  figure.large { width: ${3 * size}px; cursor: zoom-out }
  figure.large div { zoom: 3 }
  figcaption { font-size: 11px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis }
  figure.large figcaption { white-space: pre-line }
  .doubtful figcaption { color: #f90 }
  button, select { font: inherit }
</style>
<h1>${escape(title)}</h1>
<p>${faces.length === of ? `${of} faces` : `${faces.length} of ${of} faces: those that seem worst, and others spread over all`}. Dark: no face; pink: inner mouth; blue: no bare skin; yellow: landmarks.</p>
<form>
  <label>by <select id="measure"><option value="-1">the worst of all</option>${options}</select></label>
  <label>only up to <input id="most" type="range" min="0" max="1" step="0.01" value="1"> <output id="value">1</output></label>
  <label><input id="sorted" type="checkbox"> worst first</label>
  <label><input id="plain" type="checkbox"> without labels</label>
  <label>name <input id="search" type="search" size="12"></label>
  <span><button type="button" id="back">&lt;</button> <output id="page"></output> <button type="button" id="on">&gt;</button></span>
</form>
<div id="faces"></div>
${listed.length > 0 ? `<h2>Pictures without a label (${listed.length})</h2><ul>${listed.join('')}</ul>` : ''}
<script type="application/json" id="data">${data}</script>
<script>${PROGRAM}</script>
</html>
`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escape = (text: string) => text.replace(/[&<>"]/g, (letter) => ENTITIES[letter])

/** What runs in the page. */
const PROGRAM = `
const { size, columns, measures, rows } = JSON.parse(document.getElementById('data').textContent)
const all = columns * columns
const byId = (id) => document.getElementById(id)
const HEAD = 3
let page = 0
const worth = (row) => {
  const chosen = Number(byId('measure').value === '-1' ? -1 : measures.indexOf(byId('measure').value))
  const values = (chosen < 0 ? row.slice(HEAD) : [row[HEAD + chosen]]).filter((value) => value !== null)
  return values.length > 0 ? Math.min(...values) : 1
}
function draw() {
  const most = Number(byId('most').value)
  byId('value').value = most
  const wanted = byId('search').value.toLowerCase()
  let shown = rows.map((row, i) => ({ row, i, worth: worth(row) }))
  shown = shown.filter(({ row, worth }) => worth <= most && row.slice(0, HEAD).join(' ').toLowerCase().includes(wanted))
  if (byId('sorted').checked) shown.sort((a, b) => a.worth - b.worth)
  const pages = Math.max(1, Math.ceil(shown.length / all))
  page = Math.min(Math.max(page, 0), pages - 1)
  byId('page').value = shown.length + ' faces, page ' + (page + 1) + ' of ' + pages
  const kind = byId('plain').checked ? 'plain' : 'labels'
  byId('faces').replaceChildren(...shown.slice(page * all, (page + 1) * all).map(({ row, i, worth }) => {
    const figure = document.createElement('figure')
    const picture = document.createElement('div')
    const place = i % all
    picture.style.background = 'url(' + kind + '-' + String(Math.floor(i / all)).padStart(4, '0') + '.jpg) ' +
      -(place % columns) * size + 'px ' + -Math.floor(place / columns) * size + 'px'
    const caption = document.createElement('figcaption')
    caption.textContent = [worth.toFixed(2) + ' ' + (row[2] || row[0]), row[0], row[1],
      ...measures.map((name, k) => name + ' ' + row[HEAD + k])].join('\\n')
    if (worth < 0.2) figure.className = 'doubtful'
    figure.title = caption.textContent
    figure.append(picture, caption)
    figure.onclick = () => figure.classList.toggle('large')
    return figure
  }))
}
for (const id of ['measure', 'most', 'sorted', 'plain', 'search']) byId(id).oninput = () => { page = 0; draw() }
byId('back').onclick = () => { page--; draw() }
byId('on').onclick = () => { page++; draw() }
document.querySelector('form').onsubmit = () => false
draw()
`
