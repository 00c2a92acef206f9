/** What every page has inside, with the hashes that its policy lets them in by: SHA-256 of each, in base64. */

export const HTML_STYLE = `
:root{--ink:#1b1f24;--dim:#57606a;--paper:#fff;--line:#d0d7de;--soft:#f6f8fa;--accent:#0550ae;--warn:#7d4e00;--bar:#54aeff}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9aa4af;--paper:#0d1117;--line:#30363d;--soft:#161b22;--accent:#79c0ff;--warn:#e3b341;--bar:#1f6feb}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;color:var(--ink);background:var(--paper);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:1.6rem 0 .4rem;border-bottom:1px solid var(--line)}
header p{color:var(--dim);margin:.2rem 0 1rem}
p{margin:.25rem 0;overflow-wrap:anywhere}.in1{padding-left:1rem}.in2{padding-left:2rem}.in3{padding-left:3rem}.in4{padding-left:4rem}
section:first-of-type .bold{font-size:1.15rem}.tag{white-space:pre;background:var(--soft);border-radius:3px;padding:0 .2em}
code,.mono,td,dt{font-family:ui-monospace,Consolas,monospace;font-size:.9em}
.dim{color:var(--dim)}.bold{font-weight:600}.accent{color:var(--accent);font-weight:600}.warn{color:var(--warn)}
.table{overflow-x:auto;max-width:100%}table{border-collapse:collapse;margin:.4rem 0}
th,td{padding:.15rem .6rem;text-align:left;border-bottom:1px solid var(--line);white-space:pre-wrap;vertical-align:top}
th,thead td{background:var(--soft)}th{position:sticky;top:0}th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}
th button::after{content:" \\2195";color:var(--dim)}th[aria-sort=ascending] button::after{content:" \\2191"}th[aria-sort=descending] button::after{content:" \\2193"}
.right{text-align:right}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dd{margin:0;min-width:0}
.notes{padding-left:1.2rem}input{font:inherit;padding:.2rem .5rem;margin:.4rem 0;color:inherit;background:var(--paper);border:1px solid var(--dim);border-radius:4px;max-width:100%}
figure{margin:1rem 0;overflow-x:auto}figcaption{color:var(--dim);font-size:.9em}svg{font:13px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .column,svg .below{fill:var(--dim);font-size:11px}.bar{fill:var(--bar)}
.strip{fill:var(--bar);opacity:.55}.gap{fill:var(--paper);stroke:var(--dim);stroke-dasharray:2 2;stroke-width:.7}.mark{fill:var(--warn)}
.node{fill:var(--soft);stroke:var(--line)}.named{stroke:var(--accent);stroke-width:2.5}.edge{fill:none;stroke:var(--dim);opacity:.6}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media print{body{max-width:none}input{display:none}.table,figure{overflow:visible}th{position:static}}
`;

export const HTML_SCRIPT = `
"use strict";
const number = (text) => { const plain = text.replace(/[, %]/g, ""); return plain !== "" && /^[+-]?[0-9.]+$/.test(plain) ? Number(plain) : NaN; };
for (const box of document.querySelectorAll(".table")) {
  const body = box.querySelector("tbody");
  const titles = [...box.querySelectorAll("thead > tr > *")];
  if (body.rows.length < 6 || titles.length === 0) continue;
  const find = document.createElement("input");
  find.type = "search"; find.placeholder = "filter rows"; find.setAttribute("aria-label", "filter rows");
  find.addEventListener("input", () => {
    const wanted = find.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  box.before(find);
  titles.forEach((title, column) => {
    if (title.textContent === "") return;
    const button = document.createElement("button");
    button.type = "button"; button.textContent = title.textContent;
    title.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = title.getAttribute("aria-sort") !== "ascending";
      for (const other of titles) other.removeAttribute("aria-sort");
      title.setAttribute("aria-sort", up ? "ascending" : "descending");
      const cell = (row) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [cell(a), cell(b)], [m, n] = [number(x), number(y)];
        const order = Number.isNaN(m) || Number.isNaN(n) ? (x < y ? -1 : x > y ? 1 : 0) : m - n;
        return up ? order : -order;
      });
      body.append(...rows);
    });
  });
}
`;

export const HTML_STYLE_HASH = "sha256-GsEH4FUZlqP/LzRNyPxby4ocD5y2Jvg80SxtOmTENxM=";
export const HTML_SCRIPT_HASH = "sha256-Bx7Ci0G6HMC7jjzLgJh/zcgIB4YK39kSJrvYNE+8K2I=";
