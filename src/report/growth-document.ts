import type { Growth } from "../pool/growth.ts";
import type { GrowthDocument } from "./documents.ts";

/**
 * What grew as the document of `tags --since`.
 *
 * @param since the older dump's file
 */
export function growthDocument(since: string, { tags, otherMachine: _, ...growth }: Growth): GrowthDocument {
  return { since, tags: tags.map(({ key: __, ...row }) => row), ...growth };
}
