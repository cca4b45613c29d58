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

/** Puts the page together. */
export function viewerMarkup(parts: ViewerParts): string {
  const title = escape(parts.title)
  const photograph = parts.picture ? ` photograph="${parts.picture}" compare="beside"` : ''
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
<section class="card" aria-label="Face">
<noscript><p>The 3D view needs JavaScript.</p></noscript>
<facekit-viewer controls alt="The reconstructed face"${photograph}></facekit-viewer>
<p class="hint">Drag to turn, scroll or pinch to zoom. The arrow keys turn the face, too.</p>
</section>
<div class="below">
${metricsMarkup(parts.metrics)}
${downloadsMarkup(parts.downloads)}
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
  `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`

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
