import { isWindowsFileName } from "./windows-files.ts";

/** Who made a module, and on what that stands. */
export interface Publisher {
  /** The company as the image names it; null where nothing names one. */
  readonly company: string | null;
  /** Null when it cannot be told; such a module is never hidden. */
  readonly thirdParty: boolean | null;
  readonly basis: "signature" | "version resource" | "module name" | "PDB path" | "path" | "file name" | null;
}

/** Whom a signature names. */
export interface Signer {
  readonly name: string;
  /** Null: Microsoft's certificate, but perhaps for a driver of somebody else's. */
  readonly microsoft: boolean | null;
}

/** What is known of a module that can tell who made it. */
export interface PublisherClues {
  /** CompanyName of the version resource. */
  readonly company: string | undefined;
  /** Whom the file's signature names; read only where it can change the answer. */
  readonly signer?: () => Signer | undefined;
  /** The PDB's path as the linker wrote it; read only where nothing else tells. */
  readonly pdbPath?: () => string | undefined;
  readonly path: string | null;
  readonly imageName: string | null;
  /** It is loaded as the kernel or the HAL. */
  readonly kernelModule?: boolean;
}

/**
 * Tells who made a module by the strongest clue there is: its version resource, which gives way to a signature that says
 * otherwise; its signature; where it was loaded from and under which name; last the place where it was built, which says
 * something only of a file that Windows does not bring. Nothing here is proof: a driver can claim any company, so the
 * basis stands beside the answer.
 */
export function judgePublisher(clues: PublisherClues): Publisher {
  const company = clues.company?.trim();
  const named = company === undefined || company === "" ? null : company;
  // whatever they are called and say, no third party writes these
  if (clues.kernelModule === true)
    return { company: named, thirdParty: false, basis: named === null ? "module name" : "version resource" };
  if (named !== null) {
    if (!isMicrosoft(named)) return { company: named, thirdParty: true, basis: "version resource" };
    const signer = clues.signer?.();
    if (signer?.microsoft === false) return { company: signer.name, thirdParty: true, basis: "signature" };
    return { company: named, thirdParty: false, basis: "version resource" };
  }
  const signer = clues.signer?.();
  if (signer !== undefined && signer.microsoft !== null) {
    return { company: signer.name, thirdParty: !signer.microsoft, basis: "signature" };
  }
  if (clues.path !== null && isElsewhere(clues.path)) {
    return { company: null, thirdParty: true, basis: "path" };
  }
  if (clues.imageName !== null && isWindowsFileName(clues.imageName)) {
    return { company: null, thirdParty: false, basis: "file name" };
  }
  const pdbPath = clues.pdbPath?.();
  if (pdbPath !== undefined && /[\\/]/.test(pdbPath)) {
    return { company: null, thirdParty: true, basis: "PDB path" };
  }
  return { company: null, thirdParty: null, basis: null };
}

/** "Windows (R) Win 7 DDK provider" is what a third party's build says when nobody set the field. */
function isMicrosoft(company: string): boolean {
  return /^(?:©\s*)?microsoft\b/i.test(company);
}

/**
 * Whether a path leads outside the Windows folder, where Windows keeps none of its own drivers, apart
 * from those of its own products.
 */
function isElsewhere(path: string): boolean {
  if (!path.includes("\\")) return false;
  if (/\\(?:microsoft|windows defender|windows nt)\\/i.test(path)) return false;
  return !/^(?:\\systemroot\\|\\windows\\|(?:\\\?\?\\)?[a-z]:\\win(?:dows|nt)\\|\\device\\[^\\]+\\windows\\|\\winnt\\)/i.test(
    path,
  );
}
