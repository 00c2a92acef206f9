import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Frame, type Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { buildSite } from "../build.mjs";

/** Debian's Chromium, or another that `POOLTRAIL_CHROMIUM` names; `undefined`: there is none, and its tests are skipped. */
export const CHROMIUM = [process.env.POOLTRAIL_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);

/** The page as it is built, at an address of its own, and what else of that address was asked for. */
export class Site {
  readonly #folder = mkdtempSync(join(tmpdir(), "pooltrail-site-"));
  readonly asked: string[] = [];
  #server: Server | undefined;
  #browser: Browser | undefined;
  #url = "";

  constructor() {
    beforeAll(() => this.#start());
    afterAll(() => this.#end());
  }

  get url(): string {
    return this.#url;
  }

  /** The built page, as a path. */
  get file(): string {
    return join(this.#folder, "index.html");
  }

  /** Opens the page; nothing that it says to the console or throws is let pass. */
  async open({
    url = this.#url,
    width = 1280,
    height = 800,
    colorScheme = "light" as "light" | "dark",
  } = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error("no browser was started");
    const page = await this.#browser.newPage({ viewport: { width, height }, colorScheme });
    page.on("pageerror", (error) => expect.unreachable(error.message));
    await page.goto(url);
    return page;
  }

  async #start(): Promise<void> {
    await buildSite(this.#folder);
    const page = readFileSync(this.file);
    this.#server = createServer(({ url = "" }, response) => {
      this.asked.push(url);
      response.setHeader("content-type", "text/html; charset=utf-8").end(page);
    });
    await new Promise<void>((done) => this.#server?.listen(0, "127.0.0.1", done));
    const { port } = this.#server.address() as AddressInfo;
    this.#url = `http://127.0.0.1:${port}/`;
    // root has no sandbox
    this.#browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"] });
  }

  async #end(): Promise<void> {
    await this.#browser?.close();
    this.#server?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The report, or the error in its place. */
export async function answerOf(page: Page): Promise<{ readonly html: string; readonly error: string }> {
  await page.locator("iframe, #error:not(:empty)").first().waitFor();
  const html = await page.evaluate(() => document.querySelector("iframe")?.srcdoc ?? "");
  return { html, error: (await page.locator("#error").textContent()) ?? "" };
}

/** The frame that the report is in, loaded. */
export async function reportFrame(page: Page): Promise<Frame> {
  await page.frameLocator("iframe").locator("main").waitFor();
  const [, frame] = page.frames();
  if (frame === undefined) throw new Error("the page has no frame");
  return frame;
}

const AXE = readFileSync(new URL("../../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** What axe-core finds wrong, a line each, beginning with how bad it is. */
export async function wrongFor(frame: Page | Frame): Promise<readonly string[]> {
  await frame.evaluate(AXE);
  return await frame.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(
          options: object,
        ): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
      };
    };
    const { violations } = await axe.run({ iframes: false });
    return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`);
  });
}
