// What the page of an evaluation looks like beyond the style of every report.

export const EVAL_STYLE = `
.protocol { margin: 0 0 18px; color: var(--soft); max-width: none; } .protocol b { color: var(--ink); font-weight: 600; }
.score { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 26px; align-items: center; margin: 18px 0 6px; }
.score strong { font-size: 46px; line-height: 1; font-weight: 650; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.score svg { display: block; width: 100%; height: 30px; overflow: visible; }
.tally { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 12px 0 0; max-width: none; }
.mark { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px; background: var(--c0); }
.mark.right { background: var(--good); } .mark.wrong { background: var(--bad); } .mark.unjudged { background: var(--c1); }
.unjudged { color: var(--c1); }
details > dl { margin-left: 18px; }
.breakdowns { columns: 2 440px; column-gap: 18px; margin-top: 12px; }
.breakdowns figure { break-inside: avoid; margin-bottom: 18px; }
.breakdowns table, .breakdown table { margin: 4px 0; }
.breakdowns td, .breakdown td { padding: 1px 10px 1px 0; font-size: 13px; }
.breakdowns tr:last-child td { border-bottom: 0; }
.breakdowns td.bar-cell, .breakdown td.bar-cell { padding: 1px 4px 1px 8px; width: 34%; }
.breakdowns td svg, .breakdown td svg { min-width: 90px; }
.filters { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin: 10px 0; padding: 10px 0; background: var(--page); border-bottom: 1px solid var(--line); }
.filters[hidden], .row[hidden] { display: none; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; }
.filters button, .filters select, .filters input { font: inherit; font-size: 13px; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: 15px; padding: 3px 11px; }
.filters button { cursor: pointer; font-variant-numeric: tabular-nums; }
.filters button[aria-pressed="true"] { border-color: var(--ink); }
.filters select { max-width: 230px; } .filters input { flex: 1 1 180px; min-width: 0; }
.rows { display: grid; gap: 12px; margin-top: 12px; }
.row { display: grid; grid-template-columns: 190px minmax(0, 1fr); gap: 6px 20px; padding: 14px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; content-visibility: auto; contain-intrinsic-size: auto 190px; }
.bare .row { grid-template-columns: minmax(0, 1fr); } .bare .picture { display: none; }
.picture img { display: block; max-width: 100%; max-height: 220px; border-radius: 4px; background: #ffffff; }
.row header { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; margin-bottom: 4px; }
.question { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 190px; overflow: auto; }
.row dl { margin: 8px 0 0; gap: 2px 14px; } .row dt { font-size: 13px; } .row dd { white-space: pre-wrap; }
.row details { margin-top: 6px; } .row details .completion { margin-top: 6px; max-height: 420px; padding: 10px 12px; background: var(--page); border-radius: 6px; }
.row summary { font-size: 13px; }
@media (max-width: 640px) { .row { grid-template-columns: 1fr; } .score { grid-template-columns: 1fr; } .row dl { grid-template-columns: max-content minmax(0, 1fr); } }
@media print { .filters { display: none; } .row { break-inside: avoid; } }
`
