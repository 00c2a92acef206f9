import type { Bars, Graph, GraphNode, Strips } from "./block.ts";
import { escaped } from "./markup.ts";

const BAR = { height: 22, gap: 4, label: 70, room: 360, text: 200 } as const;

/** Amounts as bars, with what they are beside them. */
export function barsSvg({ title, bars }: Bars): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const height = bars.length * (BAR.height + BAR.gap);
  const width = BAR.label + BAR.room + BAR.text;
  const rows = bars.map(({ label, value, text }, i) => {
    const y = i * (BAR.height + BAR.gap);
    const length = Math.max(1, Math.round((value / most) * BAR.room));
    return [
      `<text class="mono" x="${BAR.label - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="bar" x="${BAR.label}" y="${y}" width="${length}" height="${BAR.height}" rx="2"></rect>`,
      `<text x="${BAR.label + length + 8}" y="${y + 15}">${escaped(text)}</text>`,
    ].join("");
  });
  return svg(title, width, height, rows.join("\n"));
}

const STRIP = { height: 18, gap: 8, label: 130, room: 560 } as const;

/** Strips of one length, whatever they stand for, with what is missing left open and what stands there as lines. */
export function stripsSvg({ title, strips }: Strips): string {
  const rows = strips.map(({ label, length, gaps, marks }, i) => {
    const y = 3 + i * (STRIP.height + STRIP.gap);
    const x = (at: number): string => (STRIP.label + (at / length) * STRIP.room).toFixed(1);
    const wide = (bytes: number): string => Math.max(0.5, (bytes / length) * STRIP.room).toFixed(1);
    return [
      `<text class="mono" x="${STRIP.label - 8}" y="${y + 14}" text-anchor="end">${escaped(short(label))}</text>`,
      `<rect class="strip" x="${STRIP.label}" y="${y}" width="${STRIP.room}" height="${STRIP.height}"></rect>`,
      ...gaps.map(
        ({ start, length: bytes, text }) =>
          `<rect class="gap" x="${x(start)}" y="${y}" width="${wide(bytes)}" height="${STRIP.height}"><title>${escaped(text)}</title></rect>`,
      ),
      ...marks.map(
        ({ at, text }) =>
          `<rect class="mark" x="${x(at)}" y="${y - 2}" width="1.5" height="${STRIP.height + 4}"><title>${escaped(text)}</title></rect>`,
      ),
    ].join("");
  });
  const width = STRIP.label + STRIP.room + 2;
  return svg(title, width, strips.length * (STRIP.height + STRIP.gap) + 4, rows.join("\n"));
}

const NODE = { width: 210, height: 40, gapX: 90, gapY: 10, top: 26, margin: 4 } as const;
/** Characters that a box has room for. */
const LABEL = 28;

/** Boxes in columns, with lines as thick as what they stand on is strong. */
export function graphSvg({ title, columns, edges }: Graph): string {
  const shown = columns.filter(({ nodes }) => nodes.length > 0);
  const rows = Math.max(...shown.map(({ nodes }) => nodes.length));
  const height = NODE.top + rows * (NODE.height + NODE.gapY);
  const width = shown.length * NODE.width + (shown.length - 1) * NODE.gapX + 2 * NODE.margin;
  const places = new Map<string, { readonly x: number; readonly y: number }>();
  const boxes = shown.map(({ title: heading, nodes }, column) => {
    const x = NODE.margin + column * (NODE.width + NODE.gapX);
    const start = NODE.top + ((rows - nodes.length) * (NODE.height + NODE.gapY)) / 2;
    const drawn = nodes.map((node, row) => {
      const y = start + row * (NODE.height + NODE.gapY);
      places.set(node.id, { x, y });
      return box(node, x, y);
    });
    return `<text class="column" x="${x}" y="14">${escaped(heading)}</text>${drawn.join("\n")}`;
  });
  const lines = edges.flatMap(({ from, to, strength, title: why }) => {
    const [start, end] = [places.get(from), places.get(to)];
    if (start === undefined || end === undefined) return [];
    const [x1, y1] = [start.x + NODE.width, start.y + NODE.height / 2];
    const [x2, y2] = [end.x, end.y + NODE.height / 2];
    const middle = (x1 + x2) / 2;
    const thick = (1 + 4 * strength).toFixed(1);
    const dash = strength === 0 ? ' stroke-dasharray="3 4"' : "";
    return [
      `<path class="edge" d="M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}" stroke-width="${thick}"${dash}><title>${escaped(why)}</title></path>`,
    ];
  });
  return svg(title, width, height, [...lines, ...boxes].join("\n"));
}

function box({ label, below, named }: GraphNode, x: number, y: number): string {
  const name = below === undefined ? y + 25 : y + 17;
  return [
    `<g><title>${escaped(below === undefined ? label : `${label}: ${below}`)}</title>`,
    `<rect class="${named === true ? "node named" : "node"}" x="${x}" y="${y}" width="${NODE.width}" height="${NODE.height}" rx="4"></rect>`,
    `<text class="mono" x="${x + 10}" y="${name}">${escaped(short(label))}</text>`,
    below === undefined
      ? ""
      : `<text class="below" x="${x + 10}" y="${y + 33}">${escaped(short(below))}</text>`,
    "</g>",
  ].join("");
}

function short(text: string): string {
  return text.length > LABEL ? `${text.slice(0, LABEL - 1)}…` : text;
}

function svg(title: string, width: number, height: number, content: string): string {
  return `<svg role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" xmlns="http://www.w3.org/2000/svg"><title>${escaped(title)}</title>\n${content}\n</svg>`;
}
