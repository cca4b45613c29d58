/** Style sheet of the page; the viewer brings its own. */
export const viewerStyle = `
:root { color-scheme: light dark; --ground: #f4f4f2; --card: #ffffff; --line: #dcdcd8; --ink: #1d1f21; --soft: #5c6166; --accent: #2a66cc; }
@media (prefers-color-scheme: dark) { :root { --ground: #131416; --card: #1c1e21; --line: #303338; --ink: #eceded; --soft: #a3a8ae;
  --accent: #7aa7ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 20px 16px 40px; }
h1 { font-size: 20px; font-weight: 600; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 13px; font-weight: 600; margin: 0 0 10px; color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px; }
.below { display: grid; gap: 16px; margin-top: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); align-items: start; }
.hint { color: var(--soft); font-size: 13px; margin: 10px 0 0; }
dl { display: grid; grid-template-columns: 1fr auto; gap: 4px 12px; margin: 0; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.files { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 4px 14px; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`
