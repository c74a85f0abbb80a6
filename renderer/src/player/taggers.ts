import type { PackInfo } from '../../../engine/api/packs.ts';
import type { KeptTags } from '../../../engine/api/tags.ts';

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

/** Whose tags can be columns. */
export interface TagSource extends TaggerChoice {
  classes: readonly string[];
  /** Tracks whose means are kept. */
  tracks: number;
  /** It can hear more of them. */
  installed: boolean;
}

/** All that can tag, or has tagged the library, those that have heard something first. */
export function tagColumnSources(packs: readonly PackInfo[], kept: readonly KeptTags[]): TagSource[] {
  const keyOf = (packId: string, headId: string | null): string =>
    headId === null ? packId : `${packId}#${headId}`;
  const heard = new Map(kept.map((one) => [keyOf(one.packId, one.headId), one]));
  const installed = taggersOf(packs).map((tagger): TagSource => {
    const pack = packs.find(({ id }) => id === tagger.packId);
    const head = pack?.heads.find(({ id }) => id === tagger.headId);
    const known = heard.get(tagger.key);
    heard.delete(tagger.key);
    const classes = nameable(head?.classes ?? pack?.tags ?? []);
    return { ...tagger, classes, tracks: known?.tracks ?? 0, installed: true };
  });
  const gone = [...heard].map(([key, { packId, headId, title, classes, tracks }]): TagSource => ({
    ...{ key, packId, headId, title, classes: nameable(classes), tracks, installed: false },
  }));
  return [...installed, ...gone].sort((a, b) => Number(b.tracks > 0) - Number(a.tracks > 0));
}

/** Packs of others may name classes twice, or not at all. */
const nameable = (classes: readonly string[]): string[] =>
  [...new Set(classes)].filter((name) => name.trim() !== '');
