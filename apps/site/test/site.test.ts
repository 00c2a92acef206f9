import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { pooltrail } from "../../../test/fixtures/cli.ts";
import { temporaryFolder } from "../../../test/fixtures/temporary-folder.ts";
import { answerOf, CHROMIUM, reportFrame, Site, wrongFor } from "./browser.ts";
import { hugeCore } from "./huge-core.ts";

const X64 = "samples/leak-x64.dmp";
const X86 = "samples/article-2003.dmp";
const HIVE = "test/fixtures/hive/system.hive";
const DRIVER = "samples/images/x64/ctstor.sys";
const baseName = (path: string): string => path.replace(/.*\//, "");

/** The HTML that the command line writes, of a file whose folder the page cannot know. */
function printed(command: string, path: string, ...more: readonly string[]): string {
  const { stdout, stderr } = pooltrail(command, path, ...more, "--format", "html");
  expect(stderr).toBe("");
  return stdout.replace(path, baseName(path)).trimEnd();
}

describe.skipIf(CHROMIUM === undefined)("the page in Chromium", () => {
  const site = new Site();
  const own = temporaryFolder();
  const shown = async (page: Page): Promise<string> => {
    const { html, error } = await answerOf(page);
    expect(error).toBe("");
    return html.trimEnd();
  };

  it.each([[X64], [X86]])("gives of %s the report of the command line", async (path) => {
    await using page = await site.open();
    await page.setInputFiles("#files", path);
    expect(await shown(page)).toBe(printed("trace", path));
    expect(await page.textContent("#status")).toBe(`The report of ${baseName(path)} is below.`);
    const frame = await reportFrame(page);
    expect(await frame.locator("h2").first().textContent()).toBe("Verdict");
    // the report's own script runs, by the page's policy as well
    expect(await frame.locator("input[type=search]").count()).toBeGreaterThan(0);
  });

  it("works as a file, without any server", async () => {
    await using page = await site.open({ url: pathToFileURL(site.file).href });
    await page.setInputFiles("#files", X64);
    expect(await shown(page)).toBe(printed("trace", X64));
  });

  it("asks nothing of anybody, and cannot: neither the page, nor its worker, nor the report", async () => {
    site.asked.length = 0;
    await using page = await site.open();
    await page.setInputFiles("#files", X64);
    await shown(page);
    const attempt = async (url: string): Promise<string> => {
      const said = (reason: unknown): string => String(reason);
      return await fetch(url).then(() => "answered", said);
    };
    const refused = "TypeError: Failed to fetch";
    const url = `${site.url}leak`;
    expect(await page.evaluate(attempt, url)).toBe(refused);
    expect(await page.workers()[0]?.evaluate(attempt, url)).toBe(refused);
    expect(await (await reportFrame(page)).evaluate(attempt, url)).toBe(refused);
    const image = page.evaluate((url) => {
      const picture = new Image();
      picture.src = url;
      return picture.decode().then(
        () => "shown",
        () => "refused",
      );
    }, `${url}.png`);
    expect(await image).toBe("refused");
    expect(site.asked).toEqual(["/"]);
  });

  it("takes a dump that is dropped, with drivers, a hive and what tags mean", async () => {
    await using page = await site.open();
    const named = (path: string) => [baseName(path), readFileSync(path).toString("base64")] as const;
    const tags = ["pooltag.txt", Buffer.from("Se   - nt!se - of the page\n").toString("base64")] as const;
    await page.evaluate(
      (files) => {
        const transfer = new DataTransfer();
        for (const [name, content] of files) {
          const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
          transfer.items.add(new File([bytes], name));
        }
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
      },
      [named(X64), named(DRIVER), named(HIVE), tags],
    );
    own.file("ctstor.sys", readFileSync(DRIVER));
    expect(await shown(page)).toBe(printed("trace", X64, "--images", own.path, "--system-hive", HIVE));
    expect(await page.locator("#list li").allTextContents()).toEqual([
      "Dump: leak-x64.dmp, 2.7 MB",
      expect.stringMatching(/^Drivers: ctstor\.sys, \d/),
      expect.stringMatching(/^SYSTEM hive: system\.hive, \d/),
      "What tags mean: pooltag.txt, 27 bytes",
    ]);
    await page.selectOption("#report", "tags");
    await page.click("#go");
    await expect.poll(() => shown(page)).toContain("of the page");
  });

  it("takes a folder of drivers", async () => {
    await using page = await site.open();
    await page.setInputFiles("#folder", "samples/images/x64");
    await page.setInputFiles("#files", X64);
    expect(await shown(page)).toBe(printed("trace", X64, "--images", "samples/images/x64"));
  });

  it.each([["tags"], ["modules"], ["info"], ["memory"], ["processes"], ["handles"]])(
    "reports %s as well",
    async (report) => {
      await using page = await site.open();
      await page.selectOption("#report", report);
      await page.setInputFiles("#files", X64);
      expect(await shown(page)).toBe(printed(report, X64));
    },
  );

  it("is used by keys alone", async () => {
    await using page = await site.open();
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.id ?? "");
    // the browser has to know that a program chooses, before it would ask a person
    const chooser = page.waitForEvent("filechooser");
    await page.keyboard.press("Tab");
    await expect.poll(focused).toBe("files");
    await page.keyboard.press("Enter");
    await (await chooser).setFiles(X86);
    await shown(page);
    // where the report is, so that reading goes on there
    expect(await focused()).toBe("result");
    await page.focus("#tag");
    await page.keyboard.type("Ntff");
    await page.keyboard.press("Enter");
    await expect.poll(() => shown(page)).toBe(printed("trace", X86, "Ntff"));
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("save");
  });

  it("saves the report as it is", async () => {
    await using page = await site.open();
    await page.setInputFiles("#files", X64);
    const html = await shown(page);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
    expect(download.suggestedFilename()).toBe("leak-x64.dmp-trace.html");
    expect(readFileSync(await download.path(), "utf8").trimEnd()).toBe(html);
  });

  it("traces a tag in drivers alone", async () => {
    await using page = await site.open();
    await page.setInputFiles("#files", ["samples/images/x64/ntoskrnl.exe", DRIVER]);
    expect(await page.textContent("#status")).toBe(
      "Now the dump; or a tag, to trace it in the drivers alone.",
    );
    await page.fill("#tag", "Se");
    await page.click("#go");
    const frame = await reportFrame(page);
    expect(await frame.textContent("body")).toMatch(/ctstor/);
  });

  it("says what is wrong in one line, and goes on", async () => {
    await using page = await site.open();
    await page.click("#go");
    expect(await answerOf(page)).toEqual({
      html: "",
      error: "there is no dump yet: choose one, or drop it here",
    });
    await page.setInputFiles("#files", { name: "bad\n.dmp", mimeType: "", buffer: Buffer.alloc(64) });
    await expect
      .poll(async () => (await answerOf(page)).error)
      .toMatch(/^bad .*\.dmp.*: the signature should be .*found/);
    await page.setInputFiles("#files", X64);
    await shown(page);
    await page.fill("#tag", "Sexxxx");
    await page.click("#go");
    await expect.poll(async () => (await answerOf(page)).error).toMatch(/Sexxxx/);
    expect(await page.isHidden("#result")).toBe(true);
    await page.fill("#tag", "Se");
    await page.click("#go");
    expect(await shown(page)).toBe(printed("trace", X64, "Se"));
    await page.getByRole("button", { name: "Forget the files" }).click();
    expect(await page.locator("#list li").count()).toBe(0);
    expect(await page.isHidden("#result")).toBe(true);
  });

  it("says so where a file changed since it was chosen", async () => {
    const path = own.file("changing.dmp", readFileSync(X64));
    await using page = await site.open();
    await page.setInputFiles("#files", path);
    await shown(page);
    writeFileSync(path, readFileSync(X86));
    // what comes along is opened with the dump anew
    await page.setInputFiles("#files", DRIVER);
    await expect
      .poll(async () => (await answerOf(page)).error)
      .toContain("changing.dmp: reading failed; choose it again");
  });

  // memory of which all stands behind the 29th gigabyte of a file, most of which is a hole
  it("reads a dump of 30 GB", async () => {
    const path = join(own.path, "huge.elf");
    hugeCore(path);
    await using page = await site.open();
    await page.setInputFiles("#files", path);
    const html = await shown(page);
    expect(html).toContain("ctstor");
    expect(html).toBe(printed("trace", path));
    expect(await page.textContent("#list")).toBe("Dump: huge.elf, 30 GB");
  });

  it("stops", async () => {
    await using page = await site.open();
    // as soon as there is something to stop, before any answer can come
    await page.evaluate(() => {
      const stop = document.querySelector<HTMLButtonElement>("#stop");
      const watch = new MutationObserver(() => {
        if (stop?.hidden !== false) return;
        watch.disconnect();
        stop.click();
      });
      if (stop !== null) watch.observe(stop, { attributes: true });
    });
    await page.setInputFiles("#files", X86);
    expect(await page.textContent("#status")).toBe("Stopped.");
    await expect.poll(() => page.workers().length).toBe(0);
    expect(await page.isHidden("#result")).toBe(true);
    await page.click("#go");
    expect(await shown(page)).toBe(printed("trace", X86));
  });

  describe.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("%s, %i pixels wide", (colorScheme, width) => {
    it("is as axe-core wants it, and scrolls in one direction only", async () => {
      await using page = await site.open({ width, height: 800, colorScheme });
      const overflow = (): number => document.documentElement.scrollWidth - innerWidth;
      const fits = async (): Promise<unknown> => [await wrongFor(page), await page.evaluate(overflow)];
      expect(await fits()).toEqual([[], 0]);
      await page.click("#go");
      await answerOf(page);
      expect(await fits()).toEqual([[], 0]);
      await page.setInputFiles("#files", X64);
      await shown(page);
      expect(await fits()).toEqual([[], 0]);
      const frame = await reportFrame(page);
      expect([await wrongFor(frame), await frame.evaluate(overflow)]).toEqual([[], 0]);
    });
  });
});
