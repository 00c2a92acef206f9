import type { ModuleClue, RegistersContexts } from "../clue.ts";
import type { EvidenceKind } from "./kind.ts";

/** Nobody else's contexts have the tag; whether they leak, the calls say. */
const REGISTERS = { leaking: 20, other: 4 } as const;

/** Minifilters that register contexts with the tag, which the filter manager allocates for them. */
export const CONTEXT_REGISTRATION: EvidenceKind<RegistersContexts> = {
  collect({ target, references }) {
    const clues = target.modules.flatMap(({ name }): ModuleClue[] => {
      const own = references.filter(({ module, seen }) => module === name && seen?.kind === "registration");
      if (own.length === 0) return [];
      const [size = null, ...others] = new Set(own.map(({ allocationSize }) => allocationSize));
      const at = own.map(({ address }) => address);
      return [
        { module: name, clue: { kind: "registers-contexts", at, size: others.length === 0 ? size : null } },
      ];
    });
    return { clues };
  },
  weigh: (own, { signs: { leaks } }) =>
    own.map((clue) => ({
      clue,
      points: leaks === true ? REGISTERS.leaking : REGISTERS.other,
      proves: false,
    })),
};
