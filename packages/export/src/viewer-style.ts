/** Style sheet of the page. */
export const viewerStyle = `
:root { color-scheme: light dark; --ground: #f4f4f2; --card: #ffffff; --line: #dcdcd8; --ink: #1d1f21; --soft: #62666b;
  --accent: #2f6fde; --on-accent: #ffffff; --stage: #e4e5e6; }
@media (prefers-color-scheme: dark) { :root { --ground: #131416; --card: #1c1e21; --line: #303338; --ink: #eceded;
  --soft: #9da2a8; --accent: #7aa7ff; --on-accent: #10131a; --stage: #0c0d0e; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 40px; }
h1 { font-size: 20px; font-weight: 600; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 13px; font-weight: 600; margin: 0 0 10px; color: var(--soft); }
.layout { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr) 300px; align-items: start; }
@media (max-width: 820px) { .layout { grid-template-columns: minmax(0, 1fr); } }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px; }
.side { display: grid; gap: 16px; }
@media (max-width: 820px) and (min-width: 560px) { .side { grid-template-columns: 1fr 1fr; align-items: start; } }
.bar { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 12px; }
.bar .end { margin-left: auto; }
.pair { display: grid; gap: 12px; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.pair.single { grid-template-columns: minmax(0, min(100%, 640px)); justify-content: center; }
@media (max-width: 560px) { .pair { grid-template-columns: minmax(0, 1fr); } .pair figure:last-child { order: -1; } }
figure { margin: 0; min-width: 0; }
figcaption { color: var(--soft); font-size: 13px; margin-top: 6px; }
.pair img, canvas { display: block; width: 100%; aspect-ratio: 1; border-radius: 8px; background: var(--stage); }
.pair img { object-fit: contain; }
canvas { touch-action: none; cursor: grab; }
canvas:active { cursor: grabbing; }
button, select { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px;
  padding: 6px 12px; min-height: 36px; cursor: pointer; }
select { background: var(--card); width: 100%; }
button:hover { border-color: var(--accent); }
button[aria-pressed='true'] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.field { display: grid; gap: 2px; margin-bottom: 10px; font-size: 14px; }
input[type='range'] { width: 100%; accent-color: var(--accent); height: 24px; margin: 0; }
#pad { position: relative; width: 132px; height: 132px; margin: 0 auto 10px; border-radius: 50%; touch-action: none; cursor: crosshair;
  border: 1px solid var(--line); background: radial-gradient(circle at 50% 50%, var(--stage), var(--card)); }
#knob { position: absolute; width: 18px; height: 18px; margin: -9px 0 0 -9px; border-radius: 50%; background: #f6c945;
  box-shadow: 0 0 0 2px var(--card), 0 0 10px #f6c945; pointer-events: none; }
dl { display: grid; grid-template-columns: 1fr auto; gap: 4px 12px; margin: 0; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.files { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 4px 14px; }
a { color: var(--accent); }
#message { margin: 0 0 12px; padding: 10px 12px; border: 1px solid #c9552c; border-radius: 8px; }
`
