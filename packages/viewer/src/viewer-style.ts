import { UNCERTAINTY_COLORS } from './face-shaders.js'

/** Style of the element's inside. Colours are custom properties, so that a page can set them. */
export const viewerStyle = /* css */ `
:host { display: block; container-type: inline-size; color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif;
  --ink: var(--facekit-viewer-ink, light-dark(#1d1f21, #eceded)); --soft: light-dark(#5c6166, #a3a8ae);
  --line: light-dark(#d8d8d4, #34383d); --card: light-dark(#ffffff, #1c1e21);
  --accent: var(--facekit-viewer-accent, light-dark(#2a66cc, #7aa7ff)); --on-accent: light-dark(#ffffff, #10131a);
  --ground: var(--facekit-viewer-background, radial-gradient(circle at 50% 40%, light-dark(#f1f2f3, #34373c), light-dark(#cfd2d5, #141517)));
  color: var(--ink); }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.layout { display: grid; gap: 14px; grid-template-columns: minmax(0, 1fr); }
.views { display: grid; gap: 10px; grid-template-columns: minmax(0, 1fr); align-content: start; }
.views[data-compare='beside'] { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
@container (min-width: 780px) { .layout.with-controls { grid-template-columns: minmax(0, 1fr) 268px; align-items: start; } }
@container (max-width: 460px) { .views[data-compare='beside'] { grid-template-columns: minmax(0, 1fr); } }
.stage, .photograph { position: relative; overflow: hidden; border-radius: var(--facekit-viewer-radius, 10px); background: var(--ground);
  aspect-ratio: var(--facekit-viewer-aspect, 1); min-height: 0; }
.photograph { margin: 0; }
.stage > canvas, .stage > img, .photograph img { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
img { object-fit: contain; }
canvas { cursor: grab; outline-offset: -3px; border-radius: inherit; }
canvas:active { cursor: grabbing; }
.poster { transition: opacity 0.3s; pointer-events: none; }
.poster.gone { opacity: 0; }
.divider { position: absolute; inset-block: 0; width: 2px; margin-left: -1px; background: #fff; box-shadow: 0 0 4px #000a; pointer-events: none; }
.message { position: absolute; inset: auto 12px 12px; margin: 0; padding: 10px 12px; border-radius: 8px; background: var(--card);
  border: 1px solid #c9552c; overflow-wrap: anywhere; }
progress { position: absolute; inset: auto 0 0; width: 100%; height: 4px; accent-color: var(--accent); }
.legend { position: absolute; inset: auto 12px 10px; display: flex; gap: 8px; align-items: center; font-size: 12px; color: #fff;
  text-shadow: 0 0 3px #000; pointer-events: none; }
.legend i { flex: 0 1 160px; height: 8px; border-radius: 4px; background: linear-gradient(90deg, ${UNCERTAINTY_COLORS.join(', ')}); }
.controls { display: grid; gap: 12px; }
.group { display: flex; flex-wrap: wrap; gap: 6px; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend, summary { color: var(--soft); font-size: 13px; font-weight: 600; padding: 0; margin-bottom: 6px; }
summary { cursor: pointer; padding-block: 4px; }
button, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 4px 11px; min-height: 34px; cursor: pointer; }
select { width: 100%; margin-bottom: 8px; }
button:hover, select:hover { border-color: var(--accent); }
button[aria-pressed='true'] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.field { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.25fr); gap: 8px; align-items: center; }
.field span { overflow-wrap: anywhere; }
input[type='range'] { width: 100%; height: 26px; margin: 0; accent-color: var(--accent); touch-action: pan-y; }
.pad { position: relative; width: 104px; height: 104px; margin: 2px auto 8px; border-radius: 50%; border: 1px solid var(--line); touch-action: none;
  cursor: crosshair; background: radial-gradient(circle, light-dark(#e3e4e6, #303339), var(--card)); }
.pad i { position: absolute; width: 16px; height: 16px; margin: -8px 0 0 -8px; border-radius: 50%; background: #f6c945;
  box-shadow: 0 0 0 2px var(--card), 0 0 10px #f6c945; pointer-events: none; }
.expressions { display: grid; max-height: 260px; overflow-y: auto; overscroll-behavior: contain; padding-right: 6px; margin-bottom: 8px; }
@container (max-width: 779px) { .controls { grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); } }
@media (pointer: coarse) { button, select { min-height: 42px; } input[type='range'] { height: 36px; } }
@media (prefers-reduced-motion: reduce) { .poster { transition: none; } }
`
