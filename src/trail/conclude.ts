import type { Conclusion, Reference, Suspect, TrailApi } from "./trail.ts";

/** What the evidence comes to, no further than it goes. */
export function conclude(
  tag: string,
  references: readonly Reference[],
  apis: readonly TrailApi[],
  suspects: readonly Suspect[],
): Conclusion {
  const none = { module: null, confidence: "none" as const };
  if (references.length === 0) {
    return {
      ...none,
      text: `No image holds \`${tag}\` in what could be read, so nothing leads to a driver.`,
      because: [],
    };
  }
  if (apis.length === 0) {
    return {
      ...none,
      text: `\`${tag}\` stands in the code, but no exported function was found that leads to it.`,
      because: [],
    };
  }
  const third = suspects.filter((suspect) => suspect.thirdParty === true);
  const open = suspects.filter((suspect) => suspect.thirdParty === null);
  if (third.length === 0 && open.length === 0) {
    return {
      ...none,
      text: `No driver of a third party holds a function that leads to \`${tag}\`, in what could be read.`,
      because: [],
    };
  }
  const candidates = third.length > 0 ? third : open;
  const names = list(candidates.map((suspect) => suspect.module));
  const [only] = candidates;
  return {
    module: candidates.length === 1 && only !== undefined ? only.module : null,
    confidence: "low",
    text: `${names} ${candidates.length === 1 ? "imports" : "import"} functions that lead to \`${tag}\`.`,
    because: ["An import is not a call: it shows who can make the tag grow, not who does."],
  };
}

/** What a person does next, in the article's sense: the cheapest first. */
export function nextSteps(
  tag: string,
  suspects: readonly Suspect[],
  references: readonly Reference[],
): readonly string[] {
  if (references.length === 0) {
    return [
      "Give the machine's driver files with --images DIR, or take a kernel dump: a triage dump holds almost no code.",
    ];
  }
  const steps: string[] = [];
  const third = suspects.filter((suspect) => suspect.thirdParty !== false);
  if (third.length > 0) {
    steps.push(
      `Update or disable ${list(third.slice(0, 3).map((suspect) => suspect.module))}, one at a time, and watch \`${tag}\` (poolmon, or a second dump).`,
      "First look up each one's start type (sc qc NAME): a boot or system driver must not be disabled blindly, the machine may not start again; have its last known good configuration at hand.",
      "Or let Driver Verifier track the pool of those drivers (verifier /flags 0x8 /driver NAME.sys) and take a second dump.",
    );
  } else {
    steps.push(
      "Take a full or kernel dump, or give driver files with --images DIR, so that more of the code can be read.",
    );
  }
  return steps;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
