// The look of every report: one style sheet, light and dark, no font or picture from anywhere else.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --card: #ffffff; --ink: #1d2126; --soft: #626a73; --line: #e3e4e0; --track: #f0f0ec;
  --c0: #8b9199; --c1: #b9770e; --c2: #2f6fb3; --c3: #0b7f57; --good: #0b7f57; --bad: #b3382c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1b1f23; --ink: #e4e6e8; --soft: #98a0a8; --line: #2d3238; --track: #252a2f;
    --c0: #848c95; --c1: #d99a35; --c2: #6aa5e0; --c3: #3fb98a; --good: #3fb98a; --bad: #e8776b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1080px; padding: 40px 24px 64px; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
}
h1 { margin: 0 0 6px; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 46px 0 4px; font-size: 19px; }
p { margin: 0 0 12px; max-width: 74ch; }
.lead { font-size: 17px; }
.soft, figcaption span, .note { color: var(--soft); }
.note { font-size: 13px; }
.warning { border-left: 3px solid var(--c1); padding: 6px 12px; background: var(--card); }
code, pre, .mono { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 13px; }
pre { margin: 0; overflow-x: auto; padding: 12px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; margin: 10px 0 6px; }
th { text-align: left; font-weight: 500; font-size: 13px; color: var(--soft); }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.big { font-size: 17px; font-weight: 600; }
.scroll { overflow-x: auto; }
td svg { display: block; width: 100%; min-width: 220px; height: 30px; overflow: visible; }
td.bar-cell { padding: 7px 22px 7px 12px; width: 40%; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 18px; margin-top: 12px; }
figure { margin: 0; padding: 12px 14px 6px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
figcaption { font-size: 14px; display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; }
.wide { grid-column: 1 / -1; overflow-x: auto; }
.wide svg { min-width: 720px; }
.charts + .note, .samples + .note { margin-top: 10px; }
.chart svg { display: block; width: 100%; height: auto; margin-top: 4px; }
.legend { margin-left: auto; display: inline-flex; gap: 12px; font-size: 13px; }
.swatch { display: inline-block; width: 12px; height: 3px; margin-right: 5px; vertical-align: middle; border-radius: 2px; }
.swatch.c0 { background: var(--c0); } .swatch.c1 { background: var(--c1); }
.swatch.c2 { background: var(--c2); } .swatch.c3 { background: var(--c3); }
.c0 { --colour: var(--c0); } .c1 { --colour: var(--c1); } .c2 { --colour: var(--c2); } .c3 { --colour: var(--c3); }
.grid { stroke: var(--line); stroke-width: 1; }
.reference { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
.tick { fill: var(--soft); font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.series path { fill: none; stroke: var(--colour); stroke-linejoin: round; stroke-linecap: round; }
.series .mean { stroke-width: 2.2; } .series .run { stroke-width: 1; opacity: 0.35; }
.track { fill: var(--track); } .bar { fill: var(--colour); opacity: 0.85; }
.whisker { stroke: var(--ink); stroke-width: 1.4; fill: none; }
.dot { fill: var(--card); stroke: var(--ink); stroke-width: 1.2; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 14px; margin-top: 12px; }
.sample { padding: 12px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
.sample header { display: flex; gap: 14px; align-items: center; margin-bottom: 8px; }
.sample img { height: 56px; border-radius: 4px; image-rendering: pixelated; }
.answer { display: grid; grid-template-columns: 62px 16px minmax(0, 1fr); gap: 2px 8px; padding: 4px 0; border-top: 1px solid var(--line); }
.answer .mono { white-space: pre-wrap; overflow-wrap: anywhere; }
.completion { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 320px; overflow: auto; }
.right { color: var(--good); } .wrong { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 18px; margin: 10px 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); }
details > pre { margin-top: 8px; max-height: 520px; overflow: auto; }
@media (max-width: 640px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
@media print { body { max-width: none; } figure, .sample { break-inside: avoid; } }
`
