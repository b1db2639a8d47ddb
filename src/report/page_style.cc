#include "report/sections.h"

namespace segmentum {

std::string_view page_style() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1f2328; --soft: #646c76; --line: #d9dee4; --card: #f6f8fa;
  --accent: #2563eb; --bar: #dbe7fd;
  --c0: #2563eb; --c1: #d95319; --c2: #0f9d6c; --c3: #9b51c7;
  --c4: #b58105; --c5: #0e93b8; --c6: #c2357a; --c7: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --ink: #e4e8ec; --soft: #98a2ad; --line: #2d343d; --card: #1a2028;
    --accent: #7aa7ff; --bar: #223a66;
    --c0: #7aa7ff; --c1: #ff9a62; --c2: #4fd1a1; --c3: #c79bea;
    --c4: #e3b341; --c5: #5cc8e6; --c6: #f28ab6; --c7: #a0a8b3;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  -webkit-print-color-adjust: exact; print-color-adjust: exact;
}
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 12px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 20px; margin: 40px 0 8px; }
h3 { font-size: 15px; margin: 24px 0 8px; }
h4 { font-size: 14px; font-weight: 600; margin: 14px 0 6px; overflow-wrap: anywhere; }
h4 small { font-weight: 400; color: var(--soft); margin-left: 10px; font-size: 13px; }
header p, .facts { margin: 4px 0; }
.note { color: var(--soft); font-size: 13px; max-width: 80ch; }
.wide { overflow-x: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px;
         margin: 14px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
        padding: 10px 14px; display: flex; flex-direction: column; }
.tile b { font-size: 25px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile b small { font-size: 15px; font-weight: 400; margin-left: 3px; color: var(--soft); }
.tile > small { display: block; color: var(--soft); font-size: 12px; }
.tile span { color: var(--soft); font-size: 13px; }
.chief { border-color: var(--accent); }
.chief b { color: var(--accent); }
.warning { border-left: 3px solid var(--c1); padding-left: 12px; margin: 12px 0; }
summary { cursor: pointer; color: var(--accent); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th { font-weight: 500; text-align: left; }
thead th { color: var(--soft); font-size: 13px; vertical-align: bottom; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; flex: none;
          vertical-align: -1px; margin-right: 7px;
          box-shadow: inset 0 0 0 1px rgb(128 128 128 / 0.6); }
.striped { background: repeating-linear-gradient(-45deg, #787878 0 3px, #a5a5a5 3px 6px); }
.none { color: var(--soft); }
.classes, .courses { width: 100%; }
.classes td, .classes th, .courses td, .courses th {
  padding: 4px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
.classes td, .classes thead th:not(:first-child) { text-align: right; }
.courses { width: auto; }
.courses td:nth-child(n+3), .courses thead th:nth-child(n+3) { text-align: right; }
.classes .bar { min-width: 190px; position: relative; z-index: 0; }
.classes .bar::before { content: ""; position: absolute; z-index: -1; left: 10px; top: 4px;
                        bottom: 4px; border-radius: 3px; background: var(--bar);
                        width: calc((100% - 76px) * var(--part)); }
.classes .pixels { color: var(--soft); }
.confusion { font-size: 13px; }
.confusion td { width: 40px; min-width: 34px; height: 30px; text-align: center; padding: 0 3px;
                border: 1px solid var(--line); }
.confusion tbody th { text-align: right; padding-right: 8px; white-space: nowrap; }
.confusion tbody .swatch { margin: 0 0 0 7px; }
.confusion thead th { text-align: center; padding: 4px 0; height: 1px; }
.confusion thead span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap;
                        color: var(--ink); }
.confusion thead .swatch { display: block; margin: 6px auto 2px; }
.confusion .corner { text-align: right; padding-right: 8px; white-space: nowrap; }
.right { background: rgb(37 99 235 / var(--heat)); }
.wrong { background: rgb(217 83 25 / var(--heat)); }
.strong { color: #fff; }
img.matrix { width: 100%; max-width: 720px; image-rendering: pixelated;
             border: 1px solid var(--line); }
.mistakes { margin: 0; padding-left: 24px; columns: 2 420px; column-gap: 40px; font-size: 14px; }
.mistakes .swatch { margin-right: 5px; }
.legend, figcaption { color: var(--soft); font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; color: var(--ink); }
.row { break-inside: avoid; }
.panels { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; }
.panels figure { margin: 0; }
.panels img { display: block; width: 100%; height: auto; border-radius: 4px; background: var(--card); }
.panels img.pixels { image-rendering: pixelated; }
.panels figcaption { margin-top: 2px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 8px 24px; }
.plot { margin: 0; break-inside: avoid; }
.plot svg { display: block; width: 100%; height: auto; }
.plot h3 { margin: 14px 0 4px; }
.plot text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid path { stroke: var(--line); stroke-width: 1; fill: none; }
.grid .axis { stroke: var(--soft); }
.curve path { fill: none; stroke: var(--curve); stroke-width: 1.8; stroke-linejoin: round; }
.curve circle { fill: var(--curve); }
.faint path { stroke-width: 1; opacity: 0.35; }
.mark circle { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.plot .mark text { fill: var(--ink); font-weight: 600; }
.plot figcaption { display: flex; flex-wrap: wrap; gap: 2px 18px; padding-left: 54px; }
.plot figcaption i { display: inline-block; width: 16px; height: 3px; border-radius: 2px;
                     vertical-align: 4px; margin-right: 6px; background: var(--curve); }
.c0 { --curve: var(--c0); } .c1 { --curve: var(--c1); } .c2 { --curve: var(--c2); }
.c3 { --curve: var(--c3); } .c4 { --curve: var(--c4); } .c5 { --curve: var(--c5); }
.c6 { --curve: var(--c6); } .c7 { --curve: var(--c7); }
.sparkline { display: block; }
.sparkline circle { display: none; }
.finding { margin: 26px 0 0; padding-left: 14px; border-left: 4px solid var(--line); }
.finding h3 { margin: 0 0 4px; }
.finding h3 small { color: var(--soft); font-weight: 400; margin-left: 8px; }
.finding p { margin: 4px 0; max-width: 100ch; }
.finding ul { margin: 6px 0; padding-left: 20px; font-size: 14px; overflow-wrap: anywhere; }
.fault-error { border-color: #d1242f; }
.fault-warning { border-color: var(--c4); }
.badge { display: inline-block; border-radius: 4px; padding: 0 7px; margin-right: 8px; color: #fff;
         font-size: 12px; font-weight: 600; background: var(--soft); }
.fault-error .badge { background: #d1242f; }
.fault-warning .badge { background: #9a6700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 8px 0;
     font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px;
      overflow-x: auto; font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
@media (max-width: 700px) {
  .panels { grid-template-columns: repeat(2, 1fr); }
  .plots { grid-template-columns: 1fr; }
}
@media print {
  :root {
    --page: #ffffff; --ink: #1f2328; --soft: #555d66; --line: #d0d5db; --card: #f6f8fa;
    --accent: #2563eb; --bar: #dbe7fd;
  }
  body { font-size: 12px; }
  main { max-width: none; padding: 0; }
  .wide { overflow: visible; }
  h2, h3, h4 { break-after: avoid; }
  tr { break-inside: avoid; }
  pre { white-space: pre-wrap; }
}
)css";
}

}  // namespace segmentum
