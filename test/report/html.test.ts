import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ask, openDump, renderCsv, renderHtml, renderMarkdown } from "../../src/index.ts";
import type { Documents } from "../../src/report/blocks.ts";
import { HTML_SCRIPT, HTML_SCRIPT_HASH, HTML_STYLE, HTML_STYLE_HASH } from "../../src/report/html-parts.ts";

const page = { pointerSize: 8, title: "leak-x64.dmp", command: "pooltrail modules leak-x64.dmp" } as const;
const hashOf = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;

/** What a broken or hostile dump can call a module. */
const NAMES = [
  "<script>alert(1)</script>",
  "\"onmouseover='x'",
  "a|b_*[link](http://x)`code`@all",
  "=cmd|'/c calc'!A1",
  "\u001b[31mred\u202etxt\u009b",
  "__proto__",
  "x".repeat(0x10000),
];

function modulesNamed(names: readonly string[]): Documents["modules"] {
  using dump = openDump("samples/leak-x64.dmp");
  const modules = ask(dump, { command: "modules" });
  const [first] = modules.modules;
  if (first === undefined) throw new Error("the sample has modules");
  return { ...modules, modules: names.map((name) => ({ ...first, name, publisher: name })) };
}

describe("an answer as HTML", () => {
  const html = renderHtml("modules", modulesNamed(NAMES), page);

  it("lets in its own style and script by their hashes, and nothing else", () => {
    expect([HTML_STYLE_HASH, HTML_SCRIPT_HASH]).toEqual([hashOf(HTML_STYLE), hashOf(HTML_SCRIPT)]);
    expect(html).toContain(
      `content="default-src 'none'; style-src '${HTML_STYLE_HASH}'; script-src '${HTML_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"`,
    );
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html.match(/<style/g)).toHaveLength(1);
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg")(?!x\))/);
  });

  it("escapes what a dump says", () => {
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).toContain("&quot;onmouseover=&#39;x&#39;");
    for (const control of ["\u001b", "\u202e", "\u009b"]) expect(html).not.toContain(control);
    expect(html).not.toMatch(/<[^>]*onmouseover/);
  });

  it("shows the trail as a picture, with the one that is named set off", () => {
    using dump = openDump("samples/leak-x64.dmp");
    const trace = renderHtml("trace", ask(dump, { command: "trace", tags: ["Se"] }), page);
    const named = [
      ...trace.matchAll(/<rect class="node named"[^>]*><\/rect>\n?<text class="mono"[^>]*>([^<]*)</g),
    ];
    expect(named.map((match) => match[1])).toEqual(["ctstor"]);
    expect(trace.indexOf("<h2>Verdict</h2>")).toBeLessThan(trace.indexOf("<svg"));
    expect(trace).toContain('<code class="tag">Se  </code>');
  });

  it("shows where the tag stands in each image, and what of it could not be read", () => {
    using dump = openDump("samples/leak-x64.dmp");
    const trace = ask(dump, { command: "trace", tags: ["Se"] });
    const shown = renderHtml("trace", trace, page);
    const marks = [...shown.matchAll(/<rect class="mark"[^>]*><title>([^<]*)<\/title>/g)].map(
      (match) => match[1],
    );
    expect(marks).toEqual(
      trace.references.map(({ module, rva, use }) => `${module}+0x${rva.toString(16)}: ${use}`),
    );
    const gaps = [...shown.matchAll(/<rect class="gap"[^>]*><title>ctstor\+0x([0-9a-f]+): ([\d,]+) bytes/g)];
    const missing = gaps.reduce((sum, [, , bytes = ""]) => sum + Number(bytes.replaceAll(",", "")), 0);
    const { size, readable, unread } = trace.coverage.find(({ module }) => module === "ctstor")!;
    expect(missing).toBe(size - readable);
    expect(gaps.map(([, at = ""]) => Number.parseInt(at, 16))).toEqual(unread.map(({ rva }) => rva));
  });

  it("shows usage by tag as bars, the largest first", () => {
    using dump = openDump("samples/leak-x64.dmp");
    const tags = renderHtml("tags", ask(dump, { command: "tags" }), page);
    const lengths = [...tags.matchAll(/<rect class="bar"[^>]*width="(\d+)"/g)].map((match) =>
      Number(match[1]),
    );
    expect(lengths).toHaveLength(12);
    expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
    expect(tags).toContain("39,701,568 bytes");
  });
});

describe("an answer in Markdown", () => {
  it("takes nothing from a dump for markup", () => {
    const markdown = renderMarkdown("modules", modulesNamed(NAMES.slice(0, 5)), page);
    expect(markdown).toContain("\\<script\\>alert(1)\\</script\\>");
    expect(markdown).toContain("a\\|b\\_\\*\\[link\\](http://x)\\`code\\`\\@all");
    expect(markdown).not.toContain("\u001b");
    // a table's row has as many cells as its head, whatever the names hold
    const rows = (markdown.split("\n\n")[0] ?? "").split("\n");
    expect(rows).toHaveLength(7);
    expect(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length)).size).toBe(1);
  });

  it("keeps tags as they are", () => {
    using dump = openDump("samples/leak-x64.dmp");
    const markdown = renderMarkdown("trace", ask(dump, { command: "trace", tags: ["Se"] }), page);
    expect(markdown).toContain("## Verdict");
    expect(markdown).toContain("`Se  ` looks like a leak");
  });
});

describe("an answer as CSV", () => {
  it("has the rows of its tables, and no formulas", () => {
    const [titles, ...rows] = renderCsv("modules", modulesNamed(["nt", "=cmd|'/c calc'!A1", 'a"b,c']), page)
      .split("\r\n\r\n")[0]!
      .split("\r\n");
    expect(titles).toBe("start,end,module name,size,readable,time stamp,publisher");
    expect(rows).toHaveLength(3);
    expect(rows[1]).toContain(",'=cmd|'/c calc'!A1,");
    expect(rows[2]).toContain(',"a""b,c",');
  });

  it("leaves numbers as they are, negative ones too", () => {
    using dump = openDump("samples/leak-x64.dmp");
    using older = openDump("samples/article-2003.dmp");
    const growth = ask(dump, { command: "growth", older, force: true });
    expect(renderCsv("growth", growth, page)).toMatch(/,-\d+,/);
  });
});
