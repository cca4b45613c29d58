/** The parts of the page; all but style, data and script are plain text. */
export interface ViewerParts {
  title: string
  style: string
  data: string
  script: string
  /** SHA-256 of `script`, in base64. */
  scriptHash: string
  picture?: string
  metrics: readonly (readonly [string, string | number])[]
  downloads: readonly { label: string; href: string }[]
}

const MODES = [
  ['lit', 'Lit'],
  ['shape', 'Shape'],
  ['diffuse', 'Diffuse'],
  ['specular', 'Specular'],
]

const SOURCES = [
  ['photo', 'from the photograph'],
  ['lamp', 'one lamp'],
  ['studio', 'studio: three lamps'],
  ['overcast', 'overcast sky'],
  ['sunset', 'low sun, blue sky'],
  ['tungsten', 'lamps in the evening'],
  ['raking', 'raking light'],
]

/** Puts the page together. */
export function viewerMarkup(parts: ViewerParts): string {
  const title = escape(parts.title)
  const modes = MODES.map(
    ([mode, label]) =>
      `<button type="button" data-mode="${mode}" aria-pressed="${mode === 'lit'}">${label}</button>`,
  )
  const picture = parts.picture
    ? `<figure><img src="${parts.picture}" alt="The photograph that was reconstructed"><figcaption>Photograph</figcaption></figure>`
    : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(parts.scriptHash)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="facekit">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${parts.style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<div class="layout">
<section class="card" aria-label="Face">
<div class="bar">
${modes.join('\n')}
<button type="button" id="reset-view" class="end">Reset view</button>
</div>
<p id="message" role="alert" hidden></p>
<noscript><p>The 3D view needs JavaScript.</p></noscript>
<div class="${parts.picture ? 'pair' : 'pair single'}">
${picture}
<figure><canvas id="stage" tabindex="0" role="img" aria-label="The face in 3D; arrow keys turn it"></canvas>
<figcaption>Reconstruction: drag to turn, scroll or pinch to zoom</figcaption></figure>
</div>
</section>
<div class="side">
<section class="card" aria-labelledby="light-title">
<h2 id="light-title">Light</h2>
<label class="field">Source
<select id="source">${SOURCES.map(([value, label]) => `<option value="${value}">${label}</option>`).join('')}</select></label>
<div id="pad" aria-hidden="true" title="Drag to move the light"><div id="knob"></div></div>
${slider('azimuth', 'To the side', -90, 90, 1, 0)}
${slider('elevation', 'Up and down', -90, 90, 1, 0)}
${slider('diffuse', 'Diffuse light', 0, 2, 0.01, 1)}
${slider('highlights', 'Highlights', 0, 4, 0.01, 1)}
${slider('shininess', 'Shininess', 1, 100, 0.1, 20)}
<button type="button" id="reset-light">Reset light</button>
</section>
${metricsMarkup(parts.metrics)}
${downloadsMarkup(parts.downloads)}
</div>
</div>
</main>
<script type="application/json" id="facekit-scene">${parts.data}</script>
<script>${parts.script}</script>
</body>
</html>
`
}

/** The one script, pictures within the page, and nothing from elsewhere. */
const policy = (hash: string) =>
  `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`

function slider(id: string, label: string, from: number, to: number, step: number, value: number): string {
  return `<label class="field">${label}
<input type="range" id="${id}" min="${from}" max="${to}" step="${step}" value="${value}"></label>`
}

function metricsMarkup(metrics: ViewerParts['metrics']): string {
  if (metrics.length === 0) return ''
  const rows = metrics.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(String(value))}</dd>`)
  return `<section class="card" aria-labelledby="metrics-title">
<h2 id="metrics-title">Measured</h2>
<dl>${rows.join('\n')}</dl>
</section>`
}

function downloadsMarkup(downloads: ViewerParts['downloads']): string {
  if (downloads.length === 0) return ''
  const items = downloads.map(({ label, href }) => `<li><a href="${escape(href)}">${escape(label)}</a></li>`)
  return `<section class="card" aria-labelledby="files-title">
<h2 id="files-title">Files</h2>
<ul class="files">${items.join('\n')}</ul>
</section>`
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
