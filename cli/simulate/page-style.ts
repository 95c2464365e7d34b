// How the report's page looks: on a screen, on paper, in the dark. No script: two radio buttons show one language or the other.
export const style = `
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6b7b; --line: #d5dde5; --paper: #fff; --bar: #1f6f8b; --good: #12733f; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9fb0c0; --line: #33404d; --paper: #12181f; --bar: #5fb3d1; --good: #5fd08f; --bad: #ff8a80 } }
body { margin: 0 auto; padding: 1.5rem; max-width: 62rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.9rem; margin: 1rem 0 .5rem } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem }
input[name=language] { position: absolute; opacity: 0 }
input[name=language] + label { cursor: pointer; padding: .2rem .6rem; border: 1px solid var(--line); border-radius: .4rem; color: var(--soft) }
input[name=language]:checked + label { color: var(--paper); background: var(--bar); border-color: var(--bar) }
input[name=language]:focus-visible + label { outline: 2px solid var(--ink) }
#vi:checked ~ main [lang=en], #en:checked ~ main [lang=vi] { display: none }
.verdict { font-weight: 600; font-size: 1.1rem } .good { color: var(--good) } .bad { color: var(--bad) }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem } .tiles div { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem; color: var(--soft) }
.tiles strong { display: block; font-size: 1.6rem; color: var(--ink); font-variant-numeric: tabular-nums }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top } th { color: var(--soft); font-weight: 600 } th.of-numbers { text-align: right }
td:has(.number) { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } td small { display: block; color: var(--soft) }
code { font: .85em ui-monospace, monospace; color: var(--soft); overflow-wrap: anywhere }
details { border-bottom: 1px solid var(--line); padding: .3rem 0 }
summary { display: flex; gap: .6rem; justify-content: space-between; cursor: pointer; list-style: none } summary::-webkit-details-marker { display: none }
summary::before { content: '▸'; color: var(--soft) } details[open] > summary::before { content: '▾' }
summary > span:first-of-type { flex: 1 } .sums { font-variant-numeric: tabular-nums; white-space: nowrap }
details.whole { margin-top: 2rem; border-top: 1px solid var(--line) }
svg { width: 100%; height: auto } rect { fill: var(--bar) } text { fill: var(--soft); font-size: 11px; text-anchor: middle }
@media (max-width: 40rem) {
  body { padding: 1rem } h1 { font-size: 1.5rem }
  .tiles { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem } .tiles div { padding: .4rem .8rem }
  .figures tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); border-bottom: 1px solid var(--line); padding: .3rem 0 }
  .figures :is(th, td) { border: 0; padding: .1rem .3rem; grid-row: 2 } .figures :is(th, td):first-child { grid-row: 1; grid-column: 1 / -1 }
  .figures th { font-size: .85em } summary code { display: block } text { font-size: 20px }
}
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --bar: #1f6f8b; --good: #12733f; --bad: #b3261e }
  @page { size: A4; margin: 15mm }
  body { padding: 0; max-width: none; font-size: 10pt }
  input, label, input[name=language] + label, details.whole { display: none } h2 { break-after: avoid } tr, details, .tiles div, svg { break-inside: avoid }
  summary::before { content: none }
}
`
