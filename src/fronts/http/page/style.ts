/** One accent colour; a second one appears only where something is wrong. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #fbfbf8; --ink: #1b211e; --quiet: #5b655f; --hair: #e1e4de; --field: #ffffff;
  --accent: #0a6a55; --soft: #a9d6c8; --faint: #e9eee9; --fault: #a63409;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111513; --ink: #e6ebe7; --quiet: #98a49d; --hair: #2a312d; --field: #191e1b;
    --accent: #5bcdae; --soft: #245a4b; --faint: #1f2622; --fault: #ff9b77;
  }
}
* { box-sizing: border-box; margin: 0; }
html { -webkit-text-size-adjust: 100%; }
body {
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
  color: var(--ink); background: var(--ground);
  max-width: 1120px; margin: 0 auto; padding: 20px 24px 48px;
}
a { color: var(--accent); }
small, .note, dt, th { color: var(--quiet); font-size: 12px; font-weight: 400; }
.code, code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12.5px; overflow-wrap: anywhere; }
.fault { color: var(--fault); }
small.fault { font-size: inherit; }
.top { display: flex; align-items: baseline; gap: 16px; padding-bottom: 12px; border-bottom: 1px solid var(--hair); }
.top .name { color: inherit; text-decoration: none; font-weight: 650; letter-spacing: -.01em; font-size: 15px; }
.top .name::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 2px; background: var(--accent); margin-right: 8px; }
#connection, .top .name + form { margin-left: auto; }
#connection { color: var(--quiet); font-size: 12px; }
#connection.lost { color: var(--fault); }
#connection.live::before { content: ""; display: inline-block; width: 7px; height: 7px; border-radius: 50%; background: var(--accent); margin-right: 6px; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 300; letter-spacing: -.02em; margin: 28px 0 10px; overflow-wrap: anywhere; }
h2 { font-size: 12px; font-weight: 600; color: var(--quiet); letter-spacing: .02em; margin: 34px 0 8px; }
h3 { font-size: 15px; font-weight: 600; overflow-wrap: anywhere; }
h3 em { font-style: normal; }
.lead { font-size: 16px; color: var(--quiet); }
.lead b { font-weight: 500; color: var(--ink); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px 28px; margin-top: 22px; padding-top: 12px; border-top: 1px solid var(--hair); }
.facts div { min-width: 0; }
.facts dd { overflow-wrap: anywhere; }
.sequences { border-top: 1px solid var(--hair); }
article {
  display: grid; grid-template-columns: minmax(0, 1.25fr) minmax(0, 1.4fr) minmax(0, 1.1fr) minmax(0, .85fr); gap: 8px 28px;
  padding: 14px 0 12px; border-bottom: 1px solid var(--hair);
}
article b { font-weight: 600; font-size: 15px; }
article p { min-width: 0; overflow-wrap: anywhere; }
article > div > p { color: var(--quiet); font-size: 12px; }
article > div b { color: var(--ink); }
.buffer > p:first-child { display: flex; justify-content: space-between; gap: 8px; align-items: baseline; }
.next span { font-size: 18px; letter-spacing: -.01em; }
.next small { display: block; }
.runway, article > .fault { grid-column: 1 / -1; font-size: 12px; }
.key { white-space: nowrap; margin-right: 10px; }
.key::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 2px; margin-right: 5px; background: var(--hair); }
.key.left::before { background: var(--accent); }
.key.ahead::before { background: var(--soft); }
svg { display: block; width: 100%; overflow: visible; }
.bar { height: 12px; margin: 8px 0; border-radius: 3px; overflow: hidden; }
.bar .track { fill: var(--faint); } .bar .served { fill: var(--hair); } .bar .left { fill: var(--accent); } .bar .ahead { fill: var(--soft); }
.plot { height: 28px; margin: 2px 0 4px; }
.plot .line { fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linejoin: round; }
.plot .area { fill: var(--soft); opacity: .4; }
.plot .mark { stroke: var(--quiet); stroke-width: 1; opacity: .35; }
.plot .base { stroke: var(--hair); stroke-width: 1; }
.plot path, .plot polyline { vector-effect: non-scaling-stroke; }
.leases rect { fill: var(--accent); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; padding: 0 16px 4px 0; }
td { padding: 6px 16px 6px 0; border-top: 1px solid var(--hair); vertical-align: top; overflow-wrap: anywhere; }
.when { white-space: nowrap; }
.number { text-align: right; padding-right: 0; }
.number:not(:last-child) { padding-right: 16px; }
.sequences + .note { margin-top: 8px; }
.faults { list-style: none; padding: 0; }
.faults li { display: flex; gap: 16px; padding: 6px 0; border-top: 1px solid var(--hair); overflow-wrap: anywhere; }
.faults li span { min-width: 0; }
.faults time { flex: 0 0 80px; color: var(--quiet); }
pre { background: var(--faint); border-radius: 6px; padding: 12px 14px; margin: 8px 0; white-space: pre-wrap; line-height: 1.7; }
summary { cursor: pointer; }
details { margin-top: 34px; }
.message { margin-top: 20px; padding: 10px 14px; border-left: 3px solid var(--accent); background: var(--faint); overflow-wrap: anywhere; }
.message.fault { border-color: var(--fault); }
.forms { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 16px 40px; align-items: start; }
.forms form { align-content: flex-start; }
form { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: flex-end; }
.forms form { padding: 10px 0; }
form h3 { flex-basis: 100%; }
label { flex: 1 1 96px; display: grid; gap: 3px; color: var(--quiet); font-size: 12px; min-width: 0; }
input, select, button { font: inherit; font-size: 14px; color: var(--ink); background: var(--field); border: 1px solid var(--quiet); border-radius: 5px; padding: 6px 9px; min-height: 36px; min-width: 0; max-width: 100%; }
.forms label:first-of-type { flex-basis: 100%; }
.login label { flex: 0 1 260px; }
button { cursor: pointer; background: var(--accent); border-color: var(--accent); color: var(--ground); font-weight: 600; padding: 6px 14px; }
button.quiet { background: none; border: 0; padding: 0; min-height: 0; color: var(--accent); font-weight: 400; text-decoration: underline; }
form.confirm { align-items: center; gap: 16px; margin-top: 20px; }
button.danger { background: var(--fault); border-color: var(--fault); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
footer { margin-top: 40px; padding-top: 12px; border-top: 1px solid var(--hair); }
footer a { margin-right: 12px; }
@media (max-width: 760px) {
  body { padding: 14px 16px 40px; }
  h1 { font-size: 24px; margin: 20px 0 14px; }
  article { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  article > header, .buffer { grid-column: 1 / -1; }
  article > header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 12px; align-items: baseline; }
  h3 { flex: 1 1 120px; }
  .next small { display: inline; }
  .next span { font-size: 17px; }
  .facts { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 10px 16px; }
  .facts div:first-child { grid-column: 1 / -1; }
  .forms { grid-template-columns: minmax(0, 1fr); }
  .forms label { flex-basis: 100%; }
}
`
