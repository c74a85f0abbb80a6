import type { PackInfo } from '../../../engine/api/packs.ts';

/** What can tag: the network of a pack, or a head behind its embeddings. */
export interface TaggerChoice {
  /** Kept in settings. */
  key: string;
  packId: string;
  headId: string | null;
  title: string;
}

/** All that can tag, each pack's own network before its heads. Ids hold no “#”. */
export function taggersOf(packs: readonly PackInfo[]): TaggerChoice[] {
  return packs.flatMap(({ id: packId, title, tags, heads }) => [
    ...(tags.length > 0 ? [{ key: packId, packId, headId: null, title }] : []),
    ...heads.map((head) => ({
      ...{ key: `${packId}#${head.id}`, packId, headId: head.id },
      title: `${head.title} (${title})`,
    })),
  ]);
}
