import { droppedFiles, isDriver, NO_FILES, withMore } from "./files.ts";
import type { GivenFiles, Reply, Report } from "./messages.ts";
import { Questioner } from "./questioner.ts";

// The page itself: takes files, has a worker make the report, and shows it.

const form = element("form", HTMLFormElement);
const picked = element("files", HTMLInputElement);
const folder = element("folder", HTMLInputElement);
const report = element("report", HTMLSelectElement);
const tag = element("tag", HTMLInputElement);
const go = element("go", HTMLButtonElement);
const stop = element("stop", HTMLButtonElement);
const list = element("list", HTMLUListElement);
const status = element("status", HTMLElement);
const error = element("error", HTMLElement);
const progress = element("progress", HTMLProgressElement);
const detail = element("detail", HTMLElement);
const result = element("result", HTMLElement);
const save = element("save", HTMLAnchorElement);
const alone = element("alone", HTMLAnchorElement);

let files = NO_FILES;
const questioner = new Questioner();

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`the page has no ${id}`);
  return found;
}

/** Takes files, and begins as soon as there is something to read. */
function take(more: readonly File[]): void {
  if (more.length === 0) return;
  files = withMore(files, more);
  questioner.end();
  showFiles();
  if (files.dump.length > 0) ask();
  else
    say(
      files.drivers.length > 0
        ? "Now the dump; or a tag, to trace it in the drivers alone."
        : "Now the dump.",
    );
}

function ask(): void {
  if (files.dump.length === 0 && files.drivers.length === 0) {
    fail("there is no dump yet: choose one, or drop it here");
    return;
  }
  const asked = tagsOf(tag.value);
  begin();
  questioner.ask({ files, report: reportOf(report.value), tags: asked }, (reply) => {
    if ("progress" in reply) showProgress(reply.progress);
    else if ("failed" in reply) fail(reply.failed);
    else show(reply.html);
  });
}

/** Four characters and fewer are one tag, blanks among them; more are several. */
function tagsOf(text: string): readonly string[] {
  if (text.trim() === "") return [];
  return text.length <= 4 ? [text] : text.trim().split(/\s+/);
}

const REPORTS: readonly Report[] = ["trace", "tags", "modules", "info", "memory", "processes", "handles"];

function reportOf(value: string): Report {
  return REPORTS.find((one) => one === value) ?? "trace";
}

/** As the page was before there was an answer. */
function clear(): void {
  busy(false);
  error.textContent = "";
  result.hidden = true;
  result.querySelector("iframe")?.remove();
  document.body.classList.remove("reported");
}

function begin(): void {
  clear();
  progress.removeAttribute("value");
  busy(true);
  say(`Reading ${files.dump[0]?.name ?? "the drivers"} …`);
}

function busy(is: boolean): void {
  progress.hidden = !is;
  stop.hidden = !is;
  go.disabled = is;
  detail.textContent = "";
}

/** Beside the status, which would be read aloud each time. */
function showProgress([module, done, of]: Extract<Reply, { progress: unknown }>["progress"]): void {
  progress.max = of;
  progress.value = done;
  detail.textContent = `${module}, ${done} of ${of} modules`;
}

function show(html: string): void {
  busy(false);
  const name = files.dump[0]?.name ?? "drivers";
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([html], { type: "text/html" }));
  save.download = `${name}-${report.value}.html`;
  alone.href = save.href;
  result.hidden = false;
  result.append(frameOf(html));
  document.body.classList.add("reported");
  say(`The report of ${name} is below.`);
  result.focus({ preventScroll: true });
  result.scrollIntoView();
}

/** A report may run its own script, by its own policy and the page's, and reach nothing of the page. */
function frameOf(html: string): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.title = "Report";
  frame.setAttribute("sandbox", "allow-scripts");
  frame.srcdoc = html;
  return frame;
}

function fail(message: string): void {
  clear();
  say("");
  error.textContent = message.replace(/\s+/g, " ");
}

function say(text: string): void {
  status.textContent = text;
}

function showFiles(): void {
  list.replaceChildren(
    ...rowsOf(files).map(([what, these]) => {
      const row = document.createElement("li");
      const [first] = these;
      const others = these.length > 1 ? ` and ${these.length - 1} more` : "";
      const size = these.reduce((sum, file) => sum + file.size, 0);
      row.textContent = `${what}: ${first?.name ?? ""}${others}, ${sizeText(size)}`;
      return row;
    }),
  );
}

function rowsOf({ dump, drivers, hive, tags }: GivenFiles): readonly (readonly [string, readonly File[]])[] {
  const rows: readonly (readonly [string, readonly File[]])[] = [
    ["Dump", dump],
    ["Drivers", drivers],
    ["SYSTEM hive", hive === undefined ? [] : [hive]],
    ["What tags mean", tags === undefined ? [] : [tags]],
  ];
  return rows.filter(([, these]) => these.length > 0);
}

function sizeText(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** unit;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

picked.addEventListener("change", () => take([...(picked.files ?? [])]));
folder.addEventListener("change", () => take([...(folder.files ?? [])].filter(({ name }) => isDriver(name))));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
stop.addEventListener("click", () => {
  questioner.end();
  clear();
  say("Stopped.");
  go.focus();
});
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
}
form.addEventListener("reset", () => {
  questioner.end();
  files = NO_FILES;
  showFiles();
  clear();
  say("No file is open.");
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  if (event.dataTransfer === null) return;
  droppedFiles(event.dataTransfer).then(take, (reason: unknown) => fail(String(reason)));
});
